// Sends records through go-ipfix and says how long it took: what the exporting process is compared with.
//
// Usage: go-ipfix TRANSPORT ADDRESS [CA CERT KEY], with TRANSPORT udp, tcp or tls. Reads lines "MODE COUNT"
// (MODE: sendset.N, N records a message, or buffered where this version has it); answers each with
// nanoseconds of CPU time.
package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"

	"github.com/vmware/go-ipfix/pkg/entities"
	"github.com/vmware/go-ipfix/pkg/exporter"
	"github.com/vmware/go-ipfix/pkg/registry"
)

func main() {
	registry.LoadRegistry()
	input := exporterInput(os.Args[1], os.Args[2])
	if len(os.Args) > 5 {
		input.TLSClientConfig = &exporter.ExporterTLSClientConfig{
			CAData: read(os.Args[3]), CertData: read(os.Args[4]), KeyData: read(os.Args[5]),
		}
	}
	process, err := exporter.InitExportingProcess(input)
	must(err)
	template := process.NewTemplateID()
	sendTemplate(process, template)
	records := makeRecords()
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var mode string
		var count int
		_, err := fmt.Sscan(lines.Text(), &mode, &count)
		must(err)
		send := sender(process, template, mode)
		before := cpuTime()
		send(records, count)
		fmt.Println(cpuTime() - before)
	}
	process.CloseConnToCollector()
}

func sendTemplate(process *exporter.ExportingProcess, id uint16) {
	set := entities.NewSet(false)
	must(set.PrepareSet(entities.Template, id))
	must(set.AddRecord(newElements(), id))
	_, err := process.SendSet(set)
	must(err)
}

// Sends `count` of the records, over and over.
type sendFunction func(records []record, count int)

// A set a message, of so many records. Elements and set are used again, which allocates least.
func sendSets(process *exporter.ExportingProcess, template uint16, perMessage int) sendFunction {
	slots := make([]elements, perMessage)
	for i := range slots {
		slots[i] = newElements()
	}
	set := entities.NewSet(false)
	return func(records []record, count int) {
		for sent := 0; sent < count; {
			set.ResetSet()
			must(set.PrepareSet(entities.Data, template))
			for i := 0; i < perMessage && sent < count; i++ {
				slots[i].set(&records[sent%len(records)])
				must(set.AddRecordV2(slots[i], template))
				sent++
			}
			_, err := process.SendSet(set)
			must(err)
		}
	}
}

func cpuTime() int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func read(file string) []byte {
	octets, err := os.ReadFile(file)
	must(err)
	return octets
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
