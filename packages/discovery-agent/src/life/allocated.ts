import { AgentError, AgentErrorCode } from '../errors.ts';
import { bootDiskNext } from '../local-boot/boot-disk-next.ts';
import { EventType } from './api.ts';
import type { Life } from './parts.ts';
import { askStanding, toDiskWords } from './standing.ts';
import type { Standing } from './standing.ts';

type Allocated = Extract<Standing, { readonly kind: 'allocated' }>;

const lookEveryMs = 60_000;
const roundMs = 150_000;
const settingBootMs = 240_000;
const rebootMs = 60_000;

/**
 * A machine that is somebody's, and has booted from the network all the same: started from its disk, or held where that
 * did not help or is not wanted. Returns when the machine is nobody's any more.
 */
export async function leaveToOwner(life: Life, { name, cameBack }: Allocated): Promise<void> {
  const { reporter, outbox, session, board } = life;
  reporter.enter('allocated', `as ${name}; its disks are left alone`);
  const words = `allocated as ${name}`;
  if (session.config.policy.allocated === 'hold') {
    reporter.say('allocated', 'held, as agent.allocated of the boot server says');
    return holdUntilFree(life, 'the machine to be freed, or restarted from its disk');
  }
  if (cameBack) {
    const reason = `${words}: sent to its disk, and came back by the network; held. Look at its boot order and its disk`;
    reporter.say('allocated', reason);
    board.problem('boot', reason);
    outbox.crashed(reason, `held: ${words}`);
    await holdUntilFree(life, 'somebody to look at the boot order and the disk');
    board.problem('boot', undefined);
    return undefined;
  }
  life.pulse.beat('life', settingBootMs);
  const how = await bootDiskNext(life);
  reporter.say('allocated', `starting from its disk ${how}`);
  outbox.post(EventType.PLANNED_REBOOT, `${toDiskWords} ${how}`);
  return restart(life);
}

/** An allocation that came while the machine waited. */
export async function holdForInstaller(life: Life): Promise<void> {
  life.reporter.enter('allocated', 'this agent cannot install, and holds');
  await holdUntilFree(life, 'the machine to be freed: this agent cannot install');
}

/** Restarts the machine once the event before is delivered; nothing restarts without a word. Never returns. */
export async function restart(life: Life): Promise<never> {
  const { reporter, outbox, clock, signal, pulse } = life;
  pulse.rest('life');
  await outbox.flush();
  signal.throwIfAborted();
  reporter.enter('reboot', 'now');
  pulse.beat('life', rebootMs * 2);
  await life.reboot();
  await clock.sleep(rebootMs, signal);
  throw new AgentError(
    AgentErrorCode.RebootFailed,
    `the machine was to restart, and did not within ${rebootMs / 1000} s`,
  );
}

async function holdUntilFree(life: Life, waitsFor: string): Promise<void> {
  const { clock, signal, session, board, reporter, pulse } = life;
  board.show({ waitsFor });
  for (;;) {
    pulse.beat('life', roundMs);
    await clock.sleep(lookEveryMs, signal);
    const { kind } = await askStanding(session, () => clock.monotonic(), signal);
    if (kind === 'free') break;
  }
  board.show({ waitsFor: '' });
  reporter.say('allocated', 'no more');
}
