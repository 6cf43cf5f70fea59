//go:build !v0.8.1

// go-ipfix since 0.14: a buffered exporter, and messages as long as the path's MTU allows.
package main

import (
	"fmt"
	"strings"

	"github.com/vmware/go-ipfix/pkg/entities"
	"github.com/vmware/go-ipfix/pkg/exporter"
)

// Octets of a packet.
const pathMTU = 1400

func exporterInput(transport, address string) exporter.ExporterInput {
	return exporter.ExporterInput{
		CollectorAddress: address, CollectorProtocol: strings.Replace(transport, "tls", "tcp", 1),
		ObservationDomainID: 1, PathMTU: pathMTU, // over TCP a message may be longer
	}
}

func sender(process *exporter.ExportingProcess, template uint16, mode string) sendFunction {
	if mode == "buffered" {
		return sendBuffered(process, template)
	}
	var perMessage int
	_, err := fmt.Sscanf(mode, "sendset.%d", &perMessage)
	must(err)
	return sendSets(process, template, perMessage)
}

// One record, its elements set anew each time.
func sendBuffered(process *exporter.ExportingProcess, template uint16) sendFunction {
	buffered := exporter.NewBufferedIPFIXExporter(process)
	values := newElements()
	reused := entities.NewDataRecordFromElements(template, values)
	return func(records []record, count int) {
		for i := range count {
			values.set(&records[i%len(records)])
			must(buffered.AddRecord(reused))
		}
		must(buffered.Flush())
	}
}
