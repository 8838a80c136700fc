import { execa } from 'execa';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from './errors.ts';

export type Accelerator = 'tcg' | 'kvm';

/**
 * A boot sector that only ends QEMU through its isa-debug-exit device: mov dx,0xf4; mov al,0x10; out dx,al; hlt.
 * Reaching it takes SeaBIOS, so it proves real mode, where KVM on some hosts hangs for ever.
 */
const probeCode = [0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xf4];
/** isa-debug-exit ends QEMU with (value << 1) | 1. */
const probeStatus = (0x10 << 1) | 1;
/** Ten times what software emulation takes on an idle host. */
const probeDeadlineMs = 2000;

/** SeaBIOS boots no disk of a single sector. */
const probeDiskBytes = 2 ** 20;

function probeDisk(): Uint8Array {
  const disk = new Uint8Array(probeDiskBytes);
  disk.set(probeCode);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** Whether a machine gets through SeaBIOS within seconds here; having /dev/kvm alone proves nothing. */
export async function passesFirmware(accelerator: Accelerator): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-probe-'));
  try {
    const disk = join(directory, 'probe.img');
    writeFileSync(disk, probeDisk());
    const result = await execa(
      'qemu-system-x86_64',
      [
        ['-nodefaults', '-accel', accelerator, '-machine', 'q35', '-display', 'none', '-m', '64', '-no-reboot'],
        ['-drive', `file=${disk},format=raw,if=none,id=probe`, '-device', 'ide-hd,drive=probe'],
        ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
      ].flat(),
      { reject: false, timeout: probeDeadlineMs, killSignal: 'SIGKILL', stdio: 'ignore' },
    );
    return result.exitCode === probeStatus;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What `--accel` asks for, settled: KVM is taken only where it has just proved to work; `kvm` is refused elsewhere
 * (LAB_OPTION), since the machine would hang in its firmware.
 */
export async function chooseAccelerator(wanted: Accelerator | 'auto'): Promise<Accelerator> {
  if (wanted === 'tcg' || (await passesFirmware('kvm'))) return wanted === 'auto' ? 'kvm' : wanted;
  if (wanted === 'auto') return 'tcg';
  throw new LabError(
    'LAB_OPTION',
    `no machine gets through its firmware under KVM here within ${probeDeadlineMs / 1000} s (is /dev/kvm there, and may it run real mode?); use --accel tcg`,
  );
}
