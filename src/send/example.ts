// The file of records that `ioamctl send --example` prints: it can be sent as it stands.

/** YAML, with what else it could say in comments. */
export const EXAMPLE = `# Made-up records for \`ioamctl send\`: ioamctl send --collector 127.0.0.1:4739 -f this-file.yaml

# Of templates and records; without it that of the configuration, or 1.
observationDomainId: 1

# Elements are those of IANA's IPFIX registry and of IOAM, by name. More of your own:
elements:
  - { name: exampleQueueName, id: 1000, enterprise: 32473, type: string, description: Name of a queue }

# Templates by a name of your choice. Ids may be left out: the next free one from 256 on. A length in
# brackets is another than the element's: fewer octets of an integer, a fixed length of text.
templates:
  flow:
    id: 256
    elements:
      - flowStartMilliseconds
      - flowEndNanoseconds
      - sourceIPv6Address
      - destinationIPv6Address
      - sourceTransportPort
      - destinationTransportPort
      - protocolIdentifier
      - packetDeltaCount(4)
      - octetDeltaCount
      - interfaceName
      - exampleQueueName(16)
  loss:
    elements: [ioamNamespaceId, ioamNodeId, ioamFlowId, ioamLostPacketCount]
  # An options template: its first elements are the scope. (nfcapd takes their records for lost ones.)
  # interface: { scope: [ingressInterface], elements: [interfaceName(16), interfaceDescription(32)] }
  # For lists of records (RFC 6313), which few collectors read:
  # hop: { elements: [ioamNodeId, ioamTransitDelay] }
  # path: { elements: [observationTimeSeconds, basicList, subTemplateList] }

records:
  - template: flow
    # Ten times, five each second; left out: once, and as fast as it goes.
    repeat: 10
    rate: 5/s
    values:
      flowStartMilliseconds: now-10s        # or 2026-07-22T12:00:00.5Z, or 1784721600500
      flowEndNanoseconds: now
      sourceIPv6Address: 2001:db8::1
      destinationIPv6Address: 2001:db8:1::1
      sourceTransportPort: 40000
      destinationTransportPort: 53
      protocolIdentifier: 17
      packetDeltaCount: 1707
      octetDeltaCount: 186818
      interfaceName: eth1
      exampleQueueName: best effort
  - template: loss
    values: { ioamNamespaceId: 123, ioamNodeId: 0xabcdef, ioamFlowId: 1, ioamLostPacketCount: -2 }
  # - template: interface
  #   values: { ingressInterface: 7, interfaceName: eth1, interfaceDescription: to the core }
  # - template: path
  #   values:
  #     observationTimeSeconds: now
  #     basicList: { element: ingressInterface, semantic: ordered, values: [1, 2, 3] }
  #     subTemplateList: { template: hop, records: [{ ioamNodeId: 1, ioamTransitDelay: 42000 }] }
  # Booleans are true or false, octets hexadecimal digits such as 00ff10, MAC addresses 02:00:5e:10:00:01.
  # An element that a template has several times takes a list of values.
`;
