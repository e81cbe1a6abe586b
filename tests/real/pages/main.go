// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

// What net/url makes of a URL, on a page of html/template that has it in each
// context that there is: text, attributes, addresses, scripts, style sheets.
// The URL is the request's body, so that it can be any bytes. With "native" as
// argument it is standard input, and the page goes to standard output.
package main

import (
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"vmod-sandbox/sandbox"
)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"upper": strings.ToUpper,
}).Parse(`{{define "row"}}<tr><th>{{.Name}}<td title="{{.Value}}">{{.Value}}
{{end}}<!doctype html>
<title>{{.Raw}}</title>
<style>p { color: {{.Raw}}; background: url("{{.Raw}}") }
.{{.Raw}} { width: {{len .Raw}}px }</style>
<script>
var raw = {{.Raw}}, all = {{.Query}};
/* {{.Raw}} */
f("{{.Raw}}", '{{.Raw}}', /{{.Raw}}/g);
</script>
<h1 class={{.Raw}} data-x='{{.Raw}}' onclick="g({{.Raw}})">{{.Raw | upper}}</h1>
<a href="{{.Raw}}">as it is</a>
<a href="/search?q={{.Raw}}&amp;r={{.Raw | urlquery}}">as a parameter</a>
<img src={{.Raw}} srcset="{{.Raw}} 2x, {{.Raw}}">
<textarea>{{.Raw}}</textarea>
<table>
{{range .Rows}}{{template "row" .}}{{else}}nothing{{end}}</table>
<ul>{{range $name, $values := .Query}}
<li>{{printf "%q" $name}}{{range $i, $v := $values}}{{if $i}}, {{end}}<a
href="?{{$name}}={{$v}}">{{$v}}</a>{{end}}{{end}}
</ul>
{{with .Error}}<p>{{.}}{{end}}
<!-- {{.Raw}} -->
`))

type row struct{ Name, Value string }

func rows(u *url.URL) []row {
	password, has := u.User.Password()
	base, _ := url.Parse("https://user@example.com:8443/a/b/../c;d?e=f#g")
	joined := u.JoinPath("..", "x y", "./%2e%2e/z")
	return []row{
		{"string", u.String()},
		{"scheme", u.Scheme},
		{"opaque", u.Opaque},
		{"user", u.User.Username()},
		{"password", fmt.Sprint(password, has)},
		{"host", u.Hostname()},
		{"port", u.Port()},
		{"path", u.Path},
		{"escaped path", u.EscapedPath()},
		{"fragment", u.EscapedFragment()},
		{"request URI", u.RequestURI()},
		{"redacted", u.Redacted()},
		{"absolute", fmt.Sprint(u.IsAbs())},
		{"sorted", u.Query().Encode()},
		{"resolved", base.ResolveReference(u).String()},
		{"joined", joined.String()},
		{"path escaped", url.PathEscape(u.Path)},
	}
}

func answer(w io.Writer, raw string) {
	data := struct {
		Raw   string
		Rows  []row
		Query url.Values
		Error string
	}{Raw: raw}
	u, err := url.Parse(raw)
	if err != nil {
		data.Error = err.Error()
	} else {
		data.Rows = rows(u)
		data.Query, err = url.ParseQuery(u.RawQuery)
		if err != nil {
			data.Error = err.Error()
		}
	}
	if err := page.Execute(w, data); err != nil {
		fmt.Fprintf(w, "%v\n", err)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "native" {
		raw, err := io.ReadAll(os.Stdin)
		if err != nil {
			log.Fatal(err)
		}
		answer(os.Stdout, string(raw))
		return
	}
	answer(io.Discard, "/what?is=made&when=first#used")
	log.Fatal(sandbox.Serve(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			answer(w, string(raw))
		})))
}
