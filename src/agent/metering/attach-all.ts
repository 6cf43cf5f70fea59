// Opens a meter and attaches it to several observation points, all or none.
import {
  type Attachment,
  type Direction,
  type Hook,
  Meter,
  type MeterOptions,
} from "../../meter/index.ts";

/** An interface and a direction. */
export interface ObservationPoint {
  readonly interfaceName: string;
  readonly direction: Direction;
}

/** An attachment that is there now, and whether it was made by this call. */
export interface Attached {
  readonly attachment: Attachment;
  readonly created: boolean;
}

/** The observation points of an interface: "both" is two. */
export function expandDirections(
  interfaceName: string,
  direction: Direction | "both",
): ObservationPoint[] {
  const directions: Direction[] = direction === "both" ? ["ingress", "egress"] : [direction];
  return directions.map((one) => ({ interfaceName, direction: one }));
}

/** Whether an attachment is that of an observation point. */
export function isAt(attachment: Attachment, point: ObservationPoint): boolean {
  return (
    attachment.interfaceName === point.interfaceName && attachment.direction === point.direction
  );
}

/** For filters: whether another observation point is the same. */
export function isPoint(one: ObservationPoint): (other: ObservationPoint) => boolean {
  return (other) => one.interfaceName === other.interfaceName && one.direction === other.direction;
}

/**
 * Attaches to all of `points`. When one fails, those that this call attached are detached again and
 * the error is thrown.
 */
export function attachAll(
  meter: Pick<Meter, "attach" | "detach">,
  points: readonly ObservationPoint[],
  hook: "auto" | Hook = "auto",
): Attached[] {
  const attached: Attached[] = [];
  try {
    for (const { interfaceName, direction } of points) {
      attached.push(meter.attach(interfaceName, direction, { hook }));
    }
    return attached;
  } catch (error) {
    for (const { attachment, created } of attached.reverse()) {
      if (created) meter.detach(attachment.interfaceName, attachment.direction);
    }
    throw error;
  }
}

/**
 * Opens the meter of a network namespace, or makes it, and attaches it to all of `points`. On
 * failure everything is as it was, and a meter that was made is gone. The caller holds the meter's
 * lock, and closes the meter.
 */
export function openAttached(
  options: MeterOptions,
  points: readonly ObservationPoint[],
  hook: "auto" | Hook = "auto",
): { meter: Meter; attached: Attached[]; adopted: boolean } {
  const before = Meter.open(options.netns);
  before?.close();
  const meter = Meter.openOrCreate(options);
  try {
    return { meter, attached: attachAll(meter, points, hook), adopted: before !== undefined };
  } catch (error) {
    if (before === undefined) meter.remove();
    meter.close();
    throw error;
  }
}
