// Errors on standard error: one line, the right status, the evidence on request.
import { CommanderError } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EXIT, reportError } from "../../../src/cli/error.ts";
import { IoamctlError } from "../../../src/errors.ts";

let written = "";
beforeEach(() => {
  written = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const loading = new IoamctlError("BPF_LOAD", "cannot load:\n  refused", {
  cause: new Error("EACCES"),
  detail: "0: R1=ctx()\n1: R2=…\n",
});

describe("an error", () => {
  it("is one line, and says where more is to be had", () => {
    expect(reportError(loading, "ioamctl attach", false)).toBe(EXIT.failed);
    expect(written).toBe("ioamctl attach: cannot load: refused (--log-level debug shows more)\n");
  });

  it("comes with the verifier's log and the cause when asked", () => {
    reportError(loading, "ioamctl attach", true);
    expect(written).toBe(
      "ioamctl attach: cannot load: refused\n0: R1=ctx()\n1: R2=…\ncaused by: Error: EACCES\n",
    );
  });

  it("of a system call keeps the call's words", () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    expect(reportError(error, "ioamctl dump", false)).toBe(EXIT.failed);
    expect(written).toBe("ioamctl dump: ENOSPC: no space left on device, write\n");
  });

  it("that nobody expected says so, and its stack when asked", () => {
    reportError(new TypeError("x is undefined"), "ioamctl dump", false);
    expect(written).toMatch(
      /^ioamctl dump: unexpected failure: x is undefined; please report .*\n$/,
    );
    reportError(new TypeError("x is undefined"), "ioamctl dump", true);
    expect(written).toMatch(/\n {4}at /);
  });

  it("of the configuration is wrong use, a line each", () => {
    const mistakes = ["a:1:1: x", "a:2:1: y"].map((m) => new IoamctlError("CONFIG_INVALID", m));
    expect(reportError(new AggregateError(mistakes), "ioamctl agent", false)).toBe(EXIT.usage);
    expect(written).toBe("ioamctl agent: a:1:1: x\nioamctl agent: a:2:1: y\n");
  });

  it("of Commander was written by Commander", () => {
    const of = (code: string) => reportError(new CommanderError(1, code, ""), "ioamctl", false);
    expect(of("commander.helpDisplayed")).toBe(EXIT.done);
    expect(of("commander.version")).toBe(EXIT.done);
    expect(of("commander.help")).toBe(EXIT.usage);
    expect(of("commander.unknownOption")).toBe(EXIT.usage);
    expect(written).toBe("");
  });
});
