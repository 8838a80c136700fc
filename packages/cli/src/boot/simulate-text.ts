import type { SimulateAnswer, SimulatedOption, SimulatedStep } from '@ingot/boot-server/admin';
import { printable } from '../display-width.ts';

/** Each question of the machine, what it would be told, and why. */
export function simulationText({ steps }: SimulateAnswer): string {
  return steps.map(stepText).join('\n');
}

function stepText(step: SimulatedStep, index: number): string {
  const { asks, told, options, why, text } = step;
  return [
    `${index + 1}. asks  ${asks}`,
    `   told  ${told}`,
    ...options.map(optionText),
    ...text.split('\n').flatMap((line) => (line === '' ? [] : [`     | ${line}`])),
    ...why.map((line, at) => `${at === 0 ? '   why   ' : '         '}${line}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

const NUMBER_WIDTH = 4;
const NAME_WIDTH = 20;

function optionText({ code, name, value }: SimulatedOption): string {
  return `         ${(code === null ? '' : String(code)).padStart(NUMBER_WIDTH)} ${name.padEnd(NAME_WIDTH)} ${value}`;
}
