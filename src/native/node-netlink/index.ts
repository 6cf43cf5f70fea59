// node-netlink's front door: generic netlink requests, dumps and multicast.
// Importing it loads nothing native; the first call does.

export {
  Netlink,
  type NetlinkAnswer,
  type NetlinkFamily,
  type NetlinkMessages,
  type NetlinkRequest,
  openNetlink,
} from "./control.ts";
export {
  type ListenOptions,
  listenNetlink,
  type NetlinkBatch,
  NetlinkReceiver,
  type ReceiverCounters,
} from "./receiver.ts";
