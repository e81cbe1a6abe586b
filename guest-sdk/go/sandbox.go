// Copyright (c) 2026 The vmod_sandbox authors
// SPDX-License-Identifier: BSD-2-Clause

// Package sandbox lets a Go program answer the requests of vmod_sandbox, a
// module for Varnish Cache that runs programs in virtual machines of their own.
//
// A program sets up what it needs, and calls Serve with an http.Handler. From
// then on it is frozen: each request is answered by a copy of it as it was at
// that moment, and what a request changes is gone with it.
//
//	func main() {
//		page := template.Must(template.ParseFiles("page.html"))
//		log.Fatal(sandbox.Serve(http.HandlerFunc(
//			func(w http.ResponseWriter, r *http.Request) {
//				page.Execute(w, r.URL.Query())
//			})))
//	}
//
// It needs no C compiler (CGO_ENABLED=0), and nothing but Go's library.
package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The contract with the host: guest-sdk/include/sandbox_abi.h.
const (
	abiVersion = 1
	callNext   = 0x5b001
	callLog    = 0x5b002

	logInfo  = 0
	logError = 1

	flagWarmup = 1
)

type abiStr struct {
	ptr      *byte
	len      uint32
	reserved uint32
}

type abiHeader struct {
	name, value abiStr
}

type abiRequest struct {
	version, size, flags, nHeaders    uint32
	headers                           *abiHeader
	body                              *byte
	bodyLen, maxResponseBody, xid     uint64
	wallNs, monoNs, timeoutNs         int64
	random                            [32]byte
	method, url, proto, arg, clientIP abiStr
	clientPort, reserved              uint32
}

type abiResponse struct {
	size, status       uint32
	reason             abiStr
	headers            *abiHeader
	nHeaders, reserved uint32
	body               *byte
	bodyLen            uint64
}

// Info is what a request has that net/http has no place for. FromContext gets
// it.
type Info struct {
	Arg     string        // .backend()'s argument, or ""
	XID     uint64        // of the backend transaction
	Timeout time.Duration // until the request is given up
	MaxBody uint64        // of the response, bytes
	Random  [32]byte      // never the same twice
	Warmup  bool          // nobody asked; the answer is thrown away
}

type infoKey struct{}

// FromContext returns what else is known about the request that has this
// context, or nil if it is none of the sandbox's.
func FromContext(ctx context.Context) *Info {
	i, _ := ctx.Value(infoKey{}).(*Info)
	return i
}

// ErrNoSandbox is what Serve returns in a program that was not started by
// vmod_sandbox or sandbox-run.
var ErrNoSandbox = errors.New("sandbox: there is no host that would serve us")

// The request is in memory of the host's, which does not move and is as it was
// when the next one comes: all that is kept is copied.
func (s abiStr) String() string {
	if s.len == 0 {
		return ""
	}
	return string(unsafe.Slice(s.ptr, int(s.len)))
}

func str(s string) abiStr {
	if s == "" {
		return abiStr{}
	}
	b := []byte(s)
	return abiStr{ptr: &b[0], len: uint32(len(b))}
}

// next answers with rsp and waits for a request. RawSyscall, as nothing of the
// Go runtime shall happen in between.
func next(rsp *abiResponse) (*abiRequest, error) {
	r, _, e := syscall.RawSyscall6(callNext, abiVersion,
		uintptr(unsafe.Pointer(rsp)), 0, 0, 0, 0)
	if e == syscall.ENOSYS {
		return nil, ErrNoSandbox
	}
	if e != 0 {
		return nil, fmt.Errorf("sandbox: the host refuses to serve us: %w", e)
	}
	// an address that never was Go's: no conversion that vet would doubt
	return *(**abiRequest)(unsafe.Pointer(&r)), nil
}

func newRequest(rq *abiRequest) (*http.Request, error) {
	u, err := url.ParseRequestURI(rq.url.String())
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method:     rq.method.String(),
		URL:        u,
		RequestURI: rq.url.String(),
		Proto:      rq.proto.String(),
		Header:     make(http.Header, rq.nHeaders),
		Body:       http.NoBody,
		RemoteAddr: net.JoinHostPort(rq.clientIP.String(),
			strconv.Itoa(int(rq.clientPort))),
	}
	r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	for _, h := range unsafe.Slice(rq.headers, int(rq.nHeaders)) {
		r.Header.Add(h.name.String(), h.value.String())
	}
	// as net/http's server has it
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	if rq.bodyLen > 0 {
		b := append([]byte(nil), unsafe.Slice(rq.body, int(rq.bodyLen))...)
		r.Body = io.NopCloser(bytes.NewReader(b))
		r.ContentLength = int64(len(b))
	}
	return r.WithContext(context.WithValue(context.Background(), infoKey{},
		&Info{
			Arg:     rq.arg.String(),
			XID:     rq.xid,
			Timeout: time.Duration(rq.timeoutNs),
			MaxBody: rq.maxResponseBody,
			Random:  rq.random,
			Warmup:  rq.flags&flagWarmup != 0,
		})), nil
}

// writer is an http.ResponseWriter that keeps all of it.
type writer struct {
	header http.Header
	sent   http.Header // as it was at WriteHeader
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	// what is below 200 is said on the way, and there is none
	if w.status == 0 && status >= 200 {
		w.status = status
		w.sent = w.header.Clone()
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *writer) WriteString(s string) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.WriteString(s)
}

func (w *writer) response() (*abiResponse, []abiHeader) {
	w.WriteHeader(http.StatusOK)
	body := w.body.Bytes()
	if len(body) > 0 && len(w.sent["Content-Type"]) == 0 &&
		len(w.sent["Content-Encoding"]) == 0 {
		w.sent.Set("Content-Type", http.DetectContentType(body))
	}
	var hs []abiHeader
	for name, values := range w.sent {
		for _, v := range values {
			// as net/http's server does
			v = strings.NewReplacer("\r", " ", "\n", " ").Replace(v)
			hs = append(hs, abiHeader{str(name), str(v)})
		}
	}
	rsp := &abiResponse{status: uint32(w.status)}
	rsp.size = uint32(unsafe.Sizeof(*rsp))
	if len(hs) > 0 {
		rsp.headers = &hs[0]
		rsp.nHeaders = uint32(len(hs))
	}
	if len(body) > 0 {
		rsp.body = &body[0]
		rsp.bodyLen = uint64(len(body))
	}
	return rsp, hs
}

// Serve says that the program is ready, and answers requests with h. It
// returns if there is no sandbox, and never otherwise. It may be called once.
//
// A handler that panics ends the program, and the client gets a 503: recover,
// if that is not what you want. Goroutines that are there when Serve is called
// go on in each request; those that a request starts end with it.
func Serve(h http.Handler) error {
	// begin each request with as much room as there is
	runtime.GC()
	rq, err := next(nil)
	if err != nil {
		return err
	}
	w := &writer{header: make(http.Header)}
	r, err := newRequest(rq)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	} else {
		h.ServeHTTP(w, r)
	}
	rsp, hs := w.response()
	_, err = next(rsp)
	runtime.KeepAlive(hs)
	runtime.KeepAlive(w)
	return err
}

func log(level uintptr, text string) error {
	b := []byte(text)
	if len(b) == 0 {
		return nil
	}
	_, _, e := syscall.RawSyscall6(callLog, level,
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

// Log writes a line to Varnish's log. It may be cut, and each request can have
// some lines only; an error says that this was one too many.
func Log(format string, args ...any) error {
	return log(logInfo, fmt.Sprintf(format, args...))
}

// LogError is Log, for what should not have happened.
func LogError(format string, args ...any) error {
	return log(logError, fmt.Sprintf(format, args...))
}
