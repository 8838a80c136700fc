/** Output of programs that ask disks, as they print it. */

/** `hdparm --Istdout` of QEMU's disk, whose words have no checksum. */
export const qemuIdentify: string = `
/dev/sda:
0040 0082 0000 0010 7e00 0200 003f 0000
0000 0000 514d 3030 3030 3120 2020 2020
2020 2020 2020 2020 0003 0200 0004 322e
352b 2020 2020 5145 4d55 2048 4152 4444
4953 4b20 2020 2020 2020 2020 2020 2020
2020 2020 2020 2020 2020 2020 2020 8010
0001 0b00 0000 0200 0200 0007 0082 0010
003f ffe0 0001 0110 0000 0002 0007 0007
0003 0078 0078 0078 0078 4000 0000 0000
0000 0000 0000 001f 0100 0000 0000 0000
00f0 0016 4021 7400 4000 4021 3400 4000
203f 0000 0000 0000 0000 6001 0000 0000
0000 0000 0000 0000 0000 0002 0000 0000
0000 0000 6000 0000 0000 0000 0000 0000
${'0000 0000 0000 0000 0000 0000 0000 0000\n'.repeat(18)}`;

/** hdparm 9.65 of a SCSI disk of QEMU, which knows no question of ATA: status 0 each time. */
export const notAta: { readonly identify: string; readonly hidden: string } = {
  identify: `
/dev/sdb:
${'0000 0000 0000 0000 0000 0000 0000 0000\n'.repeat(32)}`,
  hidden: `
/dev/sdb:
SG_IO: bad/missing sense data, sb[]:  70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
 max sectors   = 0/1, HPA is enabled
`,
};

/** sg_opcodes 1.46 of Linux' own SCSI layer above a SATA disk: a command that is known, and one that is not. */
export const opcodes: { readonly known: string; readonly unknown: string } = {
  known: `
  Opcode=0x2a
  Command_name: Write(10)
  Command is supported [conforming to SCSI standard]
  No command duration limit mode page
  Multiple Logical Units (MLU): not reported
  Usage data: 
`,
  unknown: `
  Opcode=0x48  Service_action=0x0001
  Command_name: Sanitize, overwrite
  Command is not currently available
  No command duration limit mode page
  Multiple Logical Units (MLU): not reported
`,
};

/** The same form with these words, zeroes else, and the checksum that ACS asks for. */
export function identifyText(set: Readonly<Record<number, number>>): string {
  const words = Array.from({ length: 255 }, (_, index) => set[index] ?? 0);
  const sum = words.reduce((total, word) => total + (word >> 8) + (word & 0xff), 0xa5);
  words.push((((256 - (sum & 0xff)) & 0xff) << 8) | 0xa5);
  const hex = words.map((word) => word.toString(16).padStart(4, '0'));
  const lines = Array.from({ length: 32 }, (_, line) => hex.slice(line * 8, line * 8 + 8).join(' '));
  return `\n/dev/sda:\n${lines.join('\n')}\n`;
}

/** `nvme sanitize-log -o json` of nvme-cli 2; the time of a block erase is not announced. */
export function sanitizeLog(status: string, progress: number): string {
  return JSON.stringify({
    nvme0: {
      sprog: progress,
      sstat: { global_erased: 1, no_cmplted_passes: 0, status },
      cdw10_info: 4,
      time_over_write: 4_294_967_295,
      time_block_erase: 4_294_967_295,
      time_crypto_erase: 4,
      time_over_write_no_dealloc: 0,
      time_block_erase_no_dealloc: 0,
      time_crypto_erase_no_dealloc: 0,
    },
  });
}
