module vmod-sandbox/sandbox

go 1.18
