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
import type { Delivery, DeliveryResult, Mark, Placement, StagedMessage } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import { Notifications } from './notifications.ts';
import type { Arrival, ArrivingRecipient, Verdict } from './arrival.ts';
import { deliveryReport, relayReport } from './courtesy/delivered.ts';
import { tellOfNewMail } from './courtesy/newmail.ts';
import { tellOwner } from './courtesy/notice.ts';
import { send } from './courtesy/send.ts';
import { MailboxEvents } from './events.ts';
import { ExternalLists } from './externallists.ts';
import { ExternalPrograms } from './externalprograms.ts';
import { keptByDefault, place } from './filing.ts';
import type { Aftermath, Occasion } from './occasion.ts';
import type { DelivererParts } from './parts.ts';
import type { Plan, Sending } from './plan.ts';
import { Programs } from './programs.ts';
import { decide, type Decision, keep, makeOccasion } from './script.ts';
import { stageInTurns, turn } from './turns.ts';

/** A recipient's share of the work. */
interface Job {
  readonly recipient: ArrivingRecipient;
  /** What its script came to; null for who has none. */
  script: Scripted | null;
  /** Set as soon as it is known that the message is not taken. */
  error?: unknown;
  /** Which of the deliveries are this recipient's. */
  readonly deliveries: number[];
}

/** What is left to do when everything is decided, and what must be on its way before the message is taken is. */
interface Scripted {
  readonly occasion: Aftermath;
  readonly problem: string | null;
  readonly copies: readonly { readonly message: StagedMessage; readonly placements: readonly Placement[] }[];
  /** Of forwards that are sent: to be remembered whatever becomes of the message. */
  readonly sent: readonly Mark[];
  /** To be remembered if the message is taken. */
  readonly marks: readonly Mark[];
  readonly courtesies: readonly Sending[];
  readonly refusal: readonly string[] | null;
  readonly actions: readonly string[];
}

export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #programs: Programs;
  readonly #external: ExternalPrograms;
  readonly #lists: ExternalLists;
  readonly #notifications = new Notifications();
  /** Scripts for what happens in mailboxes. */
  readonly events: MailboxEvents;

  constructor(parts: DelivererParts) {
    this.#parts = parts;
    this.#programs = new Programs(parts.store, parts.settings);
    this.#external = new ExternalPrograms(parts.settings);
    this.#lists = new ExternalLists(parts.settings, parts.log);
    this.events = new MailboxEvents(parts, this.#external, this.#lists, this.#notifications);
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
    if (recipients.every(({ target }) => target.script === null)) {
      return await this.#store(arrival, recipients.map(unscripted), staged);
    }
    // Who is named twice is one recipient, and his script runs once.
    const jobs = new Map<string, Job>();
    const mine = recipients.map((recipient) => {
      const key = `${recipient.address}\0${recipient.target.name.owner}\0${recipient.target.name.path}`;
      const job = jobs.get(key) ?? unscripted(recipient);
      jobs.set(key, job);
      return job;
    });
    const unique = [...jobs.values()];
    await this.#prepareAll(arrival, unique, staged);
    const verdicts = await this.#store(arrival, unique, staged);
    return mine.map((job) => verdicts[unique.indexOf(job)] as Verdict);
  }

  /** Prepares the jobs of who has a script, some at once: they wait for others, and each may hold a message of its own. */
  async #prepareAll(arrival: Arrival, jobs: readonly Job[], staged: StagedMessage): Promise<void> {
    const waiting = jobs.filter(({ recipient: { target } }) => target.script !== null).values();
    const forwarded = new Set<string>();
    const work = async (): Promise<void> => {
      for (const job of waiting) {
        // Scripts compute: between two of them others have their turn.
        await turn();
        try {
          job.script = await this.#prepare(arrival, job.recipient, staged, forwarded);
        } catch (thrown) {
          job.error = thrown;
        }
      }
    };
    const { delivery_scripts, delivery_edited, sieve_body } = limits;
    // Beside a message that it changes, a script holds its body as tests see it: as octets and in the form of a comparator, twice.
    const held = staged.size + 4 * Math.min(staged.size, sieve_body.value);
    const atOnce = Math.min(
      delivery_scripts.value,
      Math.max(1, Math.floor(delivery_edited.value / Math.max(1, held))),
    );
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  /** Stores what is to be stored, then answers and tells. */
  async #store(arrival: Arrival, jobs: readonly Job[], staged: StagedMessage): Promise<Verdict[]> {
    const deliveries = collect(jobs, staged);
    const { header } = staged;
    // What is used up by no delivery must be given back here.
    if (!deliveries.some(({ message }) => message === staged)) staged.abort();
    let results: readonly DeliveryResult[] = [];
    if (deliveries.length > 0) {
      const { ignoreQuota } = arrival;
      results = await this.#parts.store.deliver(deliveries, { ignoreQuota }).catch((error: unknown) =>
        deliveries.map(({ target }) => ({ target, error: asMailError(error) }))
      );
    }
    const verdicts = jobs.map((job) => verdictOf(job, results));
    if (this.#parts.settings.mailnotifier !== '') this.#tell(header, verdicts);
    if (jobs.some(({ script, recipient: { notify } }) => script !== null || notify !== undefined)) {
      await Promise.all(jobs.map((job, at) => this.#finish(arrival, header, job, verdicts[at] as Verdict)));
    }
    return verdicts;
  }

  /** Tells notifyd of what is stored now, once of each copy. */
  #tell(header: string, verdicts: readonly Verdict[]): void {
    const { settings, log } = this.#parts;
    // Recipients whose mail went to one mailbox share its result.
    for (const result of new Set(verdicts.map(({ result }) => result))) {
      if (result !== undefined) tellOfNewMail(settings, result, header, log);
    }
  }

  /**
   * Runs a recipient's script, hands over what must be on its way before the message is taken, and makes messages of what was
   * changed. Null where the recipient has no script by now.
   * @throws MailError why the message cannot be taken for now
   */
  async #prepare(
    arrival: Arrival,
    recipient: ArrivingRecipient,
    staged: StagedMessage,
    forwarded: Set<string>,
  ): Promise<Scripted | null> {
    const { target } = recipient;
    const active = target.script === null ? null : this.#programs.active(target.userid, target.script);
    if (active === null) return null;
    const { settings, store } = this.#parts;
    const log = arrival.log.child({ queueid: arrival.queueId, user: target.userid });
    const occasion = makeOccasion({
      settings,
      store,
      log,
      programs: this.#external,
      lists: this.#lists,
      notifications: this.#notifications,
      arrival,
      forwarded,
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
    const sent = await this.#forward(decision);
    try {
      await this.#pipe(decision);
      const copies = await this.#copies(decision.plan, staged);
      const { plan: { actions, courtesies, marks, refusal }, problem } = decision;
      const { bytes: _bytes, message: _message, ...aftermath } = occasion;
      return { occasion: aftermath, problem, copies, sent, marks, courtesies, refusal, actions };
    } catch (thrown) {
      await this.#remember(occasion, sent);
      throw thrown;
    }
  }

  /** Hands over what must be on its way before the message is taken; the marks that say so. @throws MailError if it is not */
  async #forward({ plan, occasion }: Decision): Promise<Mark[]> {
    const sent: Mark[] = [];
    for (const sending of plan.forwards) {
      const [outcome] = await send(this.#parts.mailer, sending, occasion.log);
      if (outcome === undefined || outcome.kind === 'temporary') {
        await this.#remember(occasion, sent);
        throw serverError(`${sending.what}: ${outcome?.text ?? 'no answer'}`);
      }
      if (outcome.kind === 'sent' && sending.mark !== null) sent.push(sending.mark);
      if (outcome.kind === 'permanent') keepInstead(plan, occasion, 'not forwarded');
      if (outcome.untimed !== true) continue;
      const { arrival: { queueId }, settings, staged } = occasion;
      const report = relayReport(sending, staged.header, settings, queueId);
      if (report !== null) plan.courtesies.push(report);
    }
    return sent;
  }

  /** Sets marks of what is done, apart from the message. Never throws: what is forgotten is done again. */
  async #remember({ owner, log }: Aftermath, marks: readonly Mark[]): Promise<void> {
    if (marks.length === 0) return;
    await this.#parts.store.mark(owner.userid, marks).catch((thrown: unknown) => {
      log.error('what was done cannot be remembered', {
        error: thrown instanceof Error ? thrown : undefined,
      });
    });
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
      const copy = {
        target,
        message: await stageInTurns(store.stage(0), message.chunks()),
        placements: [fcc],
      };
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
  async #copies({ filings }: Plan, staged: StagedMessage): Promise<Scripted['copies']> {
    const copies: { message: StagedMessage; placements: readonly Placement[] }[] = [];
    try {
      for (const { content, placements } of filings) {
        if (content === null) {
          copies.push({ message: staged, placements });
          continue;
        }
        copies.push({ message: await stageInTurns(this.#parts.store.stage(0), content), placements });
      }
      return copies;
    } catch (thrown) {
      for (const { message } of copies) if (message !== staged) message.abort();
      throw thrown;
    }
  }

  /** Answers and tells, once it is certain what became of the message. */
  async #finish(arrival: Arrival, header: string, job: Job, verdict: Verdict): Promise<void> {
    const { recipient, script } = job;
    const { settings, store } = this.#parts;
    if (script !== null) {
      const { copies, marks, occasion, sent } = script;
      if (verdict.error !== undefined) await this.#remember(occasion, sent);
      else if (copies.length > 1) await this.#remember(occasion, [...sent, ...marks]);
    }
    if (verdict.error !== undefined) return;
    const log = script?.occasion.log ?? arrival.log;
    const courtesies = [...script?.courtesies ?? []];
    if (recipient.notify?.includes('SUCCESS') && verdict.refusal === undefined && arrival.sender !== '') {
      courtesies.push(deliveryReport(arrival, recipient, settings, header));
    }
    await Promise.all(courtesies.map((sending) => this.#oblige(sending, recipient, log)));
    if (script !== null && script.problem !== null) await tellOwner(store, script.occasion, script.problem);
  }
}

/** One delivery per mailbox that is meant by its address, and those of the scripts. */
function collect(jobs: readonly Job[], staged: StagedMessage): Delivery[] {
  const deliveries: Delivery[] = [];
  const places = new Map<string, number>();
  for (const { recipient: { target }, script, error, deliveries: mine } of jobs) {
    if (error !== undefined) continue;
    if (script === null) {
      // Same text for the same mailbox; a path never holds a NUL.
      const key = `${target.name.owner}\0${target.name.path}`;
      const known = places.get(key) ?? deliveries.push({ target, message: staged }) - 1;
      places.set(key, known);
      mine.push(known);
      continue;
    }
    const { copies } = script;
    const marks = [...script.sent, ...script.marks];
    if (copies.length === 0 && marks.length === 0) continue;
    if (copies.length < 2) {
      // Remembered in the same moment.
      const { message, placements } = copies[0] ?? { message: staged, placements: [] };
      mine.push(
        deliveries.push({ target, message, placements, ...(marks.length === 0 ? {} : { marks }) }) - 1,
      );
      continue;
    }
    // Each of several messages succeeds or fails for itself: what must not be done twice is remembered when all have.
    for (const { message, placements } of copies) {
      mine.push(deliveries.push({ target, message, placements }) - 1);
    }
  }
  return deliveries;
}

function unscripted(recipient: ArrivingRecipient): Job {
  return { recipient, script: null, deliveries: [] };
}

/** What nobody else takes is kept where mail is kept by default, once. */
function keepInstead(plan: Plan, occasion: Occasion, why: string): void {
  if (plan.actions.some((action) => action.startsWith('keep'))) return;
  place(plan, null, keptByDefault(occasion));
  plan.actions.push(`keep (${why})`);
}

function verdictOf({ script, error, deliveries }: Job, results: readonly DeliveryResult[]): Verdict {
  const actions = script === null ? {} : { actions: script.actions };
  if (error !== undefined) return { ...actions, error };
  const mine = deliveries.map((at) =>
    results[at] ?? { error: serverError('the store gave no result for this recipient') }
  );
  const failed = mine.find((result) => result.error !== undefined);
  if (failed !== undefined) return { ...actions, error: failed.error };
  const refusal = script?.refusal ?? null;
  if (refusal !== null) return { ...actions, refusal };
  const [result] = mine;
  return result === undefined || !('target' in result) ? actions : { ...actions, result };
}
