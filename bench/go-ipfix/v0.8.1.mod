module ioamctl/bench/go-ipfix

go 1.21

require github.com/vmware/go-ipfix v0.8.1

require (
	github.com/go-logr/logr v1.2.0 // indirect
	github.com/pion/dtls/v2 v2.2.4 // indirect
	github.com/pion/logging v0.2.2 // indirect
	github.com/pion/transport/v2 v2.0.0 // indirect
	github.com/pion/udp v0.1.4 // indirect
	golang.org/x/crypto v0.14.0 // indirect
	k8s.io/klog/v2 v2.80.1 // indirect
)
