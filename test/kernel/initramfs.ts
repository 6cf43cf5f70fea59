// What the guest boots into: the host's files, read-only by 9p with memory over them, then a script.
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "../lab/process.ts";
import type { DebianKernel } from "./debian-kernel.ts";

/** For the host's files; interfaces; and clsact, which kernels before TCX have. */
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "veth", "sch_ingress", "cls_bpf"];

/** Where the guest finds the folder that it shares with the test. */
export const SHARED = "/run/shared";

const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
for module in $($b cat /order); do $b insmod /lib/$module; done
nine=trans=virtio,version=9p2000.L,msize=262144
$b mount -t 9p -o ro,cache=loose,$nine host /host
$b mount -t tmpfs memory /memory
$b mkdir /memory/upper /memory/work
$b mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /root
$b mount -t proc proc /root/proc
$b mount -t sysfs sysfs /root/sys
$b mount --move /dev /root/dev
$b mount -t tmpfs run /root/run
$b mkdir /root${SHARED}
$b mount -t 9p -o $nine shared /root${SHARED}
$b chroot /root /bin/sh ${SHARED}/script
$b sync
$b poweroff -f
`;

/** Builds it in `folder`; the file. */
export async function initramfs(kernel: DebianKernel, folder: string): Promise<string> {
  const tree = join(folder, "initramfs");
  for (const name of ["bin", "lib", "proc", "sys", "dev", "host", "memory", "root"]) {
    await mkdir(join(tree, name), { recursive: true });
  }
  const modules = await kernel.modules(...MODULES);
  for (const file of modules) await copyFile(file, join(tree, "lib", basename(file)));
  await writeFile(join(tree, "order"), modules.map((file) => `${basename(file)}\n`).join(""));
  await copyFile("/bin/busybox", join(tree, "bin/busybox"));
  await writeFile(join(tree, "init"), INIT);
  await chmod(join(tree, "init"), 0o755);
  const file = join(folder, "initramfs.cpio");
  const pack = 'find . | cpio --create --format=newc --quiet > "$0"';
  await run("sh", ["-e", "-c", pack, file], { cwd: tree });
  return file;
}
