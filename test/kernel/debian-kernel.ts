// A kernel of Debian's, unpacked: fetched by name through apt, or from the package that KERNEL names.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../lab/process.ts";

/** `make clean` removes it. */
const FOLDER = fileURLToPath(new URL("../../build/kernel/", import.meta.url));

/** Of the oldest series that Debian keeps and that can be had everywhere it is. */
const PACKAGE = "^linux-image-6\\.1\\.0-[0-9]+-amd64$";

export interface DebianKernel {
  /** As `uname -r` says. */
  release: string;
  image: string;
  /** Of the modules given, and of those that they need, in the order to load them: their files. */
  modules(...names: string[]): Promise<string[]>;
}

/** The package's file, fetched unless it is there already. */
async function packageFile(): Promise<string> {
  const given = process.env.KERNEL;
  if (given) return given;
  mkdirSync(FOLDER, { recursive: true });
  const there = readdirSync(FOLDER).find((name) => name.endsWith(".deb"));
  if (there !== undefined) return join(FOLDER, there);
  const search = ["--names-only", "search", PACKAGE];
  const { stdout } = await run("apt-cache", search, { check: false });
  const names = stdout.split("\n").flatMap((line) => /^(\S+) - /.exec(line)?.[1] ?? []);
  const newest = names.sort(new Intl.Collator("en", { numeric: true }).compare).at(-1);
  if (newest === undefined) {
    throw new Error(
      "apt knows no linux-image-6.1.0-*-amd64: say make test-kernel KERNEL=PATH with such a package",
    );
  }
  await run("apt-get", ["download", newest], { cwd: FOLDER, timeout: 600_000 });
  return join(FOLDER, readdirSync(FOLDER).find((name) => name.endsWith(".deb"))!);
}

/** Fetches and unpacks it, unless that was done before. */
export async function debianKernel(): Promise<DebianKernel> {
  const file = await packageFile();
  const root = join(FOLDER, basename(file, ".deb"));
  const done = join(root, "unpacked");
  if (!existsSync(done)) {
    rmSync(root, { recursive: true, force: true });
    await run("dpkg", ["-x", file, root], { timeout: 300_000 });
    const [release] = readdirSync(join(root, "lib/modules"));
    await run("depmod", ["-b", root, release!]);
    mkdirSync(done);
  }
  const release = readdirSync(join(root, "lib/modules"))[0]!;
  return {
    release,
    image: join(root, `boot/vmlinuz-${release}`),
    modules: async (...names) => {
      const args = ["-d", root, "-S", release, "--show-depends", "-a", ...names];
      const { stdout } = await run("modprobe", args);
      const files = stdout.split("\n").flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
      return [...new Set(files)];
    },
  };
}
