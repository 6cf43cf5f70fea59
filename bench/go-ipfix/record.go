// The records of the benchmark: the same values as in bench/record-sender.ts, in the same order.
package main

import (
	"encoding/binary"
	"net"

	"github.com/vmware/go-ipfix/pkg/entities"
	"github.com/vmware/go-ipfix/pkg/registry"
)

// A flow as a meter keeps it: times are nanoseconds of a clock of its own.
type record struct {
	start, end              uint64
	packets, octets, flowID uint64
	source, destination     [16]byte
	sourcePort, destPort    [2]byte
	flowLabel               [4]byte
	ingress, egress         uint32
	protocol                uint8
	_                       [39]byte
}

// Unix time minus the records' clock, nanoseconds.
const clockOffset = 1_700_000_000_000_000_000

// How many records there are; they are sent again and again.
const recordCount = 4096

func makeRecords() []record {
	records := make([]record, recordCount)
	for i := range records {
		n := uint64(i)
		r := &records[i]
		*r = record{
			start: 1_000_000_000 + 1_234_567*n, end: 2_000_000_000 + 2_345_678*n,
			packets: 1 + n, octets: 1500 * (1 + n), flowID: n << 33,
			ingress: 2, egress: 3 + uint32(i&7), protocol: 17,
		}
		copy(r.source[:], []byte{0xfd, 0, 0, 1})
		copy(r.destination[:], []byte{0xfd, 0, 0, 2})
		binary.BigEndian.PutUint32(r.source[12:], uint32(i))
		binary.BigEndian.PutUint32(r.destination[12:], uint32(2*i))
		binary.BigEndian.PutUint16(r.sourcePort[:], uint16(1024+i))
		binary.BigEndian.PutUint16(r.destPort[:], 443)
		binary.BigEndian.PutUint32(r.flowLabel[:], uint32(i)*3)
	}
	return records
}

// Information elements with room for the values of one record: 89 octets in 13 fields.
type elements []entities.InfoElementWithValue

func newElements() elements {
	element := func(name string) *entities.InfoElement {
		found, err := registry.GetInfoElement(name, registry.IANAEnterpriseID)
		must(err)
		return found
	}
	return elements{
		entities.NewDateTimeMillisecondsInfoElement(element("flowStartMilliseconds"), 0),
		entities.NewDateTimeMillisecondsInfoElement(element("flowEndMilliseconds"), 0),
		entities.NewIPAddressInfoElement(element("sourceIPv6Address"), nil),
		entities.NewIPAddressInfoElement(element("destinationIPv6Address"), nil),
		entities.NewUnsigned16InfoElement(element("sourceTransportPort"), 0),
		entities.NewUnsigned16InfoElement(element("destinationTransportPort"), 0),
		entities.NewUnsigned8InfoElement(element("protocolIdentifier"), 0),
		entities.NewUnsigned32InfoElement(element("flowLabelIPv6"), 0),
		entities.NewUnsigned32InfoElement(element("ingressInterface"), 0),
		entities.NewUnsigned32InfoElement(element("egressInterface"), 0),
		entities.NewUnsigned64InfoElement(element("packetDeltaCount"), 0),
		entities.NewUnsigned64InfoElement(element("octetDeltaCount"), 0),
		entities.NewUnsigned64InfoElement(element("flowId"), 0),
	}
}

func (e elements) set(r *record) {
	e[0].SetUnsigned64Value((r.start + clockOffset) / 1_000_000)
	e[1].SetUnsigned64Value((r.end + clockOffset) / 1_000_000)
	e[2].SetIPAddressValue(net.IP(r.source[:]))
	e[3].SetIPAddressValue(net.IP(r.destination[:]))
	e[4].SetUnsigned16Value(binary.BigEndian.Uint16(r.sourcePort[:]))
	e[5].SetUnsigned16Value(binary.BigEndian.Uint16(r.destPort[:]))
	e[6].SetUnsigned8Value(r.protocol)
	e[7].SetUnsigned32Value(binary.BigEndian.Uint32(r.flowLabel[:]))
	e[8].SetUnsigned32Value(r.ingress)
	e[9].SetUnsigned32Value(r.egress)
	e[10].SetUnsigned64Value(r.packets)
	e[11].SetUnsigned64Value(r.octets)
	e[12].SetUnsigned64Value(r.flowID)
}
