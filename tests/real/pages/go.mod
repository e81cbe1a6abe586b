module vmod-sandbox/real/pages

go 1.18

require vmod-sandbox/sandbox v0.0.0

replace vmod-sandbox/sandbox => ../../../guest-sdk/go
