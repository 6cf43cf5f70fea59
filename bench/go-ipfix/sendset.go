//go:build v0.8.1

// go-ipfix before its buffered exporter: sets alone.
package main

import (
	"fmt"
	"strings"

	"github.com/vmware/go-ipfix/pkg/exporter"
)

func exporterInput(transport, address string) exporter.ExporterInput {
	return exporter.ExporterInput{
		CollectorAddress: address, CollectorProtocol: strings.Replace(transport, "tls", "tcp", 1),
		ObservationDomainID: 1,
	}
}

func sender(process *exporter.ExportingProcess, template uint16, mode string) sendFunction {
	var perMessage int
	_, err := fmt.Sscanf(mode, "sendset.%d", &perMessage)
	must(err)
	return sendSets(process, template, perMessage)
}
