/** Who listens to changes while an index cannot be read. */

import { expect, test } from 'bun:test';
import { serverError } from '../../../src/errors.ts';
import { Feed, type Listener } from '../../../src/store/client/feed.ts';
import type { WriterLink } from '../../../src/store/client/link.ts';

/** A link of which a feed needs no more. */
function makeFeed(): { feed: Feed; link: WriterLink; ready: (() => void)[] } {
  const ready: (() => void)[] = [];
  const link = {
    onNews: () => {},
    watch: (_owner: number, done: () => void) => ready.push(done),
    unwatch: () => {},
  } as unknown as WriterLink;
  return { feed: new Feed(link, new Set()), link, ready };
}

function listener(told: string[], name: string, error?: Error): Listener {
  const hear = (what: string) => () => {
    told.push(`${name} ${what}`);
    if (error !== undefined) throw error;
  };
  return { origin: 1, onEvents: hear('events'), onReady: hear('ready'), onLost: hear('lost') };
}

test('an index that cannot be read now ends nobody, and the others are told', () => {
  const { feed, link, ready } = makeFeed();
  const told: string[] = [];
  feed.add(1, listener(told, 'first', serverError('the mailbox is closed for repair')));
  feed.add(1, listener(told, 'second'));
  for (const done of ready) done();
  link.onNews({ owner: 1, origin: 'x.1', events: [] });
  link.onNews(null);
  feed.lost(1);
  const all = (what: string) => [`first ${what}`, `second ${what}`];
  expect(told).toEqual([...all('ready'), ...all('events'), ...all('lost'), ...all('lost')]);
});

test('who has left hears nothing, whoever stays does', () => {
  const { feed, link } = makeFeed();
  const told: string[] = [];
  const all = ['first', 'second', 'third'].map((name) => listener(told, name));
  for (const each of all) feed.add(1, each);
  feed.remove(1, all[0] as Listener);
  feed.remove(1, all[0] as Listener);
  link.onNews({ owner: 1, origin: 'x.1', events: [] });
  expect(told.toSorted()).toEqual(['second events', 'third events']);
  feed.remove(1, all[2] as Listener);
  feed.remove(1, all[1] as Listener);
  link.onNews({ owner: 1, origin: 'x.1', events: [] });
  expect(told).toHaveLength(2);
});

test('a bug is not hidden', () => {
  const { feed } = makeFeed();
  feed.add(1, listener([], 'first', new TypeError('x is undefined')));
  expect(() => feed.lost(1)).toThrow(TypeError);
});
