/**
 * Brings a message to its recipients: as it is to those without a script, as their scripts want it to the others.
 *
 * Invariants:
 * 1. A message is taken for a recipient only when everything that keeps it is done: copies are durable, forwards handed over.
 *    What only answers or tells of it may fail.
 * 2. What was forwarded is remembered before the message is taken or refused, so that it is not forwarded again when it comes
 *    again.
 * 3. Nobody's script and nothing it does changes what becomes of the message for others.
 */

import { asMailError, serverError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Delivery, DeliveryResult, Mark, StagedMessage } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import { Notifications } from './notifications.ts';
import type { Arrival, ArrivingRecipient, Verdict } from './arrival.ts';
import { deliveryReport } from './courtesy/delivered.ts';
import { tellOfNewMail } from './courtesy/newmail.ts';
import { tellOwner } from './courtesy/notice.ts';
import { send } from './courtesy/send.ts';
import { MailboxEvents } from './events.ts';
import { ExternalPrograms } from './externalprograms.ts';
import { keptByDefault, place } from './filing.ts';
import type { Occasion } from './occasion.ts';
import type { DelivererParts } from './parts.ts';
import type { Plan, Sending } from './plan.ts';
import { Programs } from './programs.ts';
import { decide, type Decision, keep, makeOccasion } from './script.ts';

/** A recipient's share of the work. */
interface Job {
  readonly recipient: ArrivingRecipient;
  /** Null for who has no script. */
  readonly decision: Decision | null;
  /** Set as soon as it is known that the message is not taken. */
  error?: unknown;
  /** The messages of the plan's filings, in their order. */
  readonly messages: StagedMessage[];
  /** Which of the deliveries are this recipient's. */
  readonly deliveries: number[];
}

export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #programs: Programs;
  readonly #external: ExternalPrograms;
  readonly #notifications = new Notifications();
  /** Scripts for what happens in mailboxes. */
  readonly events: MailboxEvents;

  constructor(parts: DelivererParts) {
    this.#parts = parts;
    this.#programs = new Programs(parts.store, parts.settings);
    this.#external = new ExternalPrograms(parts.settings);
    this.events = new MailboxEvents(parts, this.#external, this.#notifications);
  }

  /**
   * Delivers, and resolves to one verdict per recipient in their order. The message is used up. Never throws for a single
   * recipient; what it throws counts for all.
   */
  async deliver(
    arrival: Arrival,
    recipients: readonly ArrivingRecipient[],
    staged: StagedMessage,
  ): Promise<Verdict[]> {
    // Without a script there is nothing to wait for.
    const jobs = recipients.some(({ target }) => target.script !== null)
      ? await Promise.all(recipients.map((recipient) => this.#begin(arrival, recipient, staged)))
      : recipients.map(unscripted);
    const scripted = jobs.filter(({ decision }) => decision !== null);
    if (scripted.length > 0) await Promise.all(scripted.map((job) => this.#forward(job)));
    for (const job of scripted) await this.#stage(job, staged);
    const deliveries = collect(jobs, staged);
    // What is used up by no delivery must be given back here.
    if (!deliveries.some(({ message }) => message === staged)) staged.abort();
    const results = deliveries.length === 0
      ? []
      : await this.#parts.store.deliver(deliveries, { ignoreQuota: arrival.ignoreQuota });
    const { header } = staged;
    const verdicts = jobs.map((job) => verdictOf(job, results));
    if (this.#parts.settings.mailnotifier !== '') this.#tell(header, verdicts);
    if (scripted.length > 0 || recipients.some(({ notify }) => notify !== undefined)) {
      await Promise.all(jobs.map((job, at) => this.#finish(arrival, header, job, verdicts[at] as Verdict)));
    }
    return verdicts;
  }

  /** Tells notifyd of what is stored now. */
  #tell(header: string, verdicts: readonly Verdict[]): void {
    const { settings, log } = this.#parts;
    for (const { result } of verdicts) if (result !== undefined) tellOfNewMail(settings, result, header, log);
  }

  /** What is to be done for a recipient. */
  async #begin(arrival: Arrival, recipient: ArrivingRecipient, staged: StagedMessage): Promise<Job> {
    const { target } = recipient;
    const active = target.script === null ? null : this.#programs.active(target.userid, target.script);
    if (active === null) return unscripted(recipient);
    const { settings, store } = this.#parts;
    const log = arrival.log.child({ queueid: arrival.queueId, user: target.userid });
    const occasion = makeOccasion({
      settings,
      store,
      log,
      programs: this.#external,
      notifications: this.#notifications,
      arrival,
      recipient,
      staged,
    });
    let decision: Decision;
    try {
      decision = active.program === null
        ? keep(occasion, active.problem)
        : await decide(active.program, this.#programs.settings, occasion);
    } catch (thrown) {
      // A fault of ours is no reason to lose mail or to refuse it.
      log.error('sieve failed', { error: thrown instanceof Error ? thrown : undefined });
      decision = keep(occasion, 'internal error');
    }
    if (decision.problem !== null) log.warn('script failed, message kept', { problem: decision.problem });
    return { recipient, decision, messages: [], deliveries: [] };
  }

  /** Hands over what must be on its way before the message is taken. */
  async #forward(job: Job): Promise<void> {
    const decision = job.decision as Decision;
    const { plan, occasion } = decision;
    if (plan.forwards.length + plan.pipes.length === 0) return;
    const done: Mark[] = [];
    for (const sending of plan.forwards) {
      const [outcome] = await send(this.#parts.mailer, sending, occasion.log);
      if (outcome === undefined || outcome.kind === 'temporary') {
        job.error = serverError(`${sending.what}: ${outcome?.text ?? 'no answer'}`);
        break;
      }
      if (outcome.kind === 'sent' && sending.mark !== null) done.push(sending.mark);
      if (outcome.kind === 'permanent') keepInstead(plan, occasion, 'not forwarded');
    }
    if (job.error === undefined) await this.#pipe(decision);
    if (job.error === undefined) plan.marks.push(...done);
    else if (done.length > 0) {
      await this.#parts.store.mark(occasion.owner.userid, done).catch((thrown: unknown) => {
        occasion.log.error('forwards cannot be remembered', {
          error: thrown instanceof Error ? thrown : undefined,
        });
      });
    }
  }

  /** Gives the message to programs. One that fails is no reason to lose it. */
  async #pipe(decision: Decision): Promise<void> {
    const { plan, occasion } = decision;
    for (const { attempt, call } of plan.pipes) {
      const { failed } = await this.#external.run(call, occasion.owner.userid);
      if (failed === null) continue;
      occasion.log.warn('not piped', { program: call.name, reason: failed });
      keepInstead(plan, occasion, 'not piped');
      if (!attempt) decision.problem ??= `pipe: ${failed}`;
    }
  }

  /** Sends what nothing is lost with. What could not be sent is not remembered as sent. */
  async #oblige(sending: Sending, { target }: ArrivingRecipient, log: Log): Promise<void> {
    const { store } = this.#parts;
    const { fcc, mark, message, what } = sending;
    try {
      if (mark !== null && !await this.#claim(target.userid, mark)) {
        return log.info('sent by another delivery', { what });
      }
      const outcomes = await send(this.#parts.mailer, sending, log, limits.outgoing_courtesy.value);
      const sent = outcomes.some(({ kind }) => kind === 'sent');
      if (!sent && mark !== null) await store.mark(target.userid, [{ ...mark, fresh: false, until: 0 }]);
      if (!sent || fcc === undefined) return;
      const stage = store.stage(0);
      for (const chunk of message.chunks()) stage.write(chunk);
      const copy = { target, message: await stage.finish(), placements: [fcc] };
      const [result] = await store.deliver([copy], { ignoreQuota: false });
      if (result?.error !== undefined) throw result.error;
    } catch (thrown) {
      log.warn('not all done', { what, error: thrown instanceof Error ? thrown : undefined });
    }
  }

  /** Sets a mark; false where it must be fresh and is not. */
  async #claim(userid: string, mark: Mark): Promise<boolean> {
    try {
      await this.#parts.store.mark(userid, [mark]);
      return true;
    } catch (thrown) {
      if (asMailError(thrown).code === 'alreadyexists') return false;
      throw thrown;
    }
  }

  /** Makes messages of what a script has changed. */
  async #stage(job: Job, staged: StagedMessage): Promise<void> {
    if (job.error !== undefined) return;
    try {
      for (const { content } of (job.decision as Decision).plan.filings) {
        if (content === null) {
          job.messages.push(staged);
          continue;
        }
        const stage = this.#parts.store.stage(0);
        for (const piece of content) stage.write(piece);
        job.messages.push(await stage.finish());
      }
    } catch (thrown) {
      job.error = thrown;
      for (const message of job.messages) if (message !== staged) message.abort();
    }
  }

  /** Answers and tells, once it is certain what became of the message. */
  async #finish(arrival: Arrival, header: string, job: Job, verdict: Verdict): Promise<void> {
    const { decision, recipient } = job;
    if (verdict.error !== undefined) return;
    const { settings, store } = this.#parts;
    const log = decision?.occasion.log ?? arrival.log;
    const courtesies = [...decision?.plan.courtesies ?? []];
    if (recipient.notify?.includes('SUCCESS') && verdict.refusal === undefined && arrival.sender !== '') {
      courtesies.push(deliveryReport(arrival, recipient, settings, header));
    }
    await Promise.all(courtesies.map((sending) => this.#oblige(sending, recipient, log)));
    if (decision !== null && decision.problem !== null) {
      await tellOwner(store, decision.occasion, decision.problem);
    }
  }
}

/** One delivery per mailbox that is meant by its address, and those of the plans. */
function collect(jobs: readonly Job[], staged: StagedMessage): Delivery[] {
  const deliveries: Delivery[] = [];
  const places = new Map<string, number>();
  for (const { recipient: { target }, decision, error, messages, deliveries: mine } of jobs) {
    if (error !== undefined) continue;
    if (decision === null) {
      // Same text for the same mailbox; a path never holds a NUL.
      const key = `${target.name.owner}\0${target.name.path}`;
      const known = places.get(key) ?? deliveries.push({ target, message: staged }) - 1;
      places.set(key, known);
      mine.push(known);
      continue;
    }
    const { filings, marks } = decision.plan;
    filings.forEach(({ placements }, at) => {
      const delivery = { target, message: messages[at] as StagedMessage, placements };
      mine.push(deliveries.push(at === 0 && marks.length > 0 ? { ...delivery, marks } : delivery) - 1);
    });
    if (filings.length === 0 && marks.length > 0) {
      mine.push(deliveries.push({ target, message: staged, placements: [], marks }) - 1);
    }
  }
  return deliveries;
}

function unscripted(recipient: ArrivingRecipient): Job {
  return { recipient, decision: null, messages: [], deliveries: [] };
}

/** What nobody else takes is kept where mail is kept by default, once. */
function keepInstead(plan: Plan, occasion: Occasion, why: string): void {
  if (plan.actions.some((action) => action.startsWith('keep'))) return;
  place(plan, null, keptByDefault(occasion));
  plan.actions.push(`keep (${why})`);
}

function verdictOf({ decision, error, deliveries }: Job, results: readonly DeliveryResult[]): Verdict {
  const actions = decision === null ? {} : { actions: decision.plan.actions };
  if (error !== undefined) return { ...actions, error };
  const mine = deliveries.map((at) =>
    results[at] ?? { error: serverError('the store gave no result for this recipient') }
  );
  const failed = mine.find((result) => result.error !== undefined);
  if (failed !== undefined) return { ...actions, error: failed.error };
  const refusal = decision?.plan.refusal ?? null;
  if (refusal !== null) return { ...actions, refusal };
  const [result] = mine;
  return result === undefined || !('target' in result) ? actions : { ...actions, result };
}
