// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

// A page from a template, with a number that goroutines have computed. The
// template is parsed once, before the first request.
//
//	CGO_ENABLED=0 go build -o example ./example
//	sandbox-run -u '/x?a=1&below=5000' example
//
// Without a sandbox it is an ordinary server: PORT=8080 ./example
package main

import (
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"

	"vmod-sandbox/sandbox"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<ul>
{{range .Query}}<li>{{.Name}}: <a href="{{.Value}}">{{.Value}}</a>
{{end}}</ul>
<p>{{.Primes}} primes below {{.Below}}, by {{.Goroutines}} goroutines
`))

type pair struct{ Name, Value string }

func primes(below, workers int) int {
	var wg sync.WaitGroup
	counts := make(chan int, workers)
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			n := 0
			for i := 2 + w; i < below; i += workers {
				prime := true
				for d := 2; d*d <= i && prime; d++ {
					prime = i%d != 0
				}
				if prime {
					n++
				}
			}
			counts <- n
		}(w)
	}
	wg.Wait()
	close(counts)
	sum := 0
	for n := range counts {
		sum += n
	}
	return sum
}

func query(u *url.URL) []pair {
	var ps []pair
	for name, values := range u.Query() {
		for _, v := range values {
			ps = append(ps, pair{name, v})
		}
	}
	sort.Slice(ps, func(i, j int) bool { return ps[i].Name < ps[j].Name })
	return ps
}

func handle(w http.ResponseWriter, r *http.Request) {
	below, err := strconv.Atoi(r.URL.Query().Get("below"))
	if err != nil || below < 0 || below > 10000000 {
		below = 1000
	}
	if r.URL.Path == "/panic" {
		var p *int
		defer func() { fmt.Fprintf(w, "recovered: %v\n", recover()) }()
		*p = 1
	}
	if r.URL.Path == "/gc" {
		var keep [][]byte
		for i := 0; i < 1000; i++ {
			keep = append(keep[:len(keep)/2], make([]byte, 10000))
		}
		runtime.GC()
		fmt.Fprintf(w, "%d kept\n", len(keep))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=60")
	err = page.Execute(w, map[string]any{
		"Title":      "Hello from " + r.URL.Path,
		"Query":      query(r.URL),
		"Below":      below,
		"Primes":     primes(below, 8),
		"Goroutines": 8,
	})
	if err != nil {
		_ = sandbox.LogError("template: %v", err)
	}
}

func main() {
	h := http.HandlerFunc(handle)
	err := sandbox.Serve(h)
	if errors.Is(err, sandbox.ErrNoSandbox) {
		err = http.ListenAndServe("localhost:"+os.Getenv("PORT"), h)
	}
	log.Fatal(err)
}
