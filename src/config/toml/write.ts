/** Settings as TOML: what `config show` and `config import` print. Reading it gives the same settings. */

import { writeDuration } from '../kinds/measure.ts';
import { type OptionName, optionRows, type OptionValues } from '../options.ts';
import {
  formatListen,
  formatTimeOfDay,
  type ScheduledEvent,
  type Service,
  serviceTlsKeys,
} from '../services.ts';
import { tomlKey, tomlString } from './quote.ts';

/** All sections in the order of the table; with `only`, just those options. */
export function writeToml(
  values: OptionValues,
  services: readonly Service[],
  events: readonly ScheduledEvent[],
  only: (name: OptionName) => boolean = () => true,
): string {
  const sections = new Map<string, string[]>();
  for (const [name, row] of optionRows) {
    if (!only(name)) continue;
    const [section = '', key = ''] = row.toml.split('.');
    const lines = sections.get(section) ?? [];
    sections.set(section, [...lines, `${tomlKey(key)} = ${row.kind.toToml(values[name])}`]);
  }
  const blocks = [...sections].map(([section, lines]) => [`[${section}]`, ...lines]);
  for (const service of services) blocks.push(serviceBlock(service, values));
  for (const event of events) blocks.push(eventBlock(event));
  // An empty section says "none", which differs from not having it.
  if (events.length === 0) blocks.push(['[events]']);
  return blocks.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function serviceBlock(service: Service, values: OptionValues): string[] {
  const { listen } = service;
  const lines = [
    `[services.${tomlKey(service.name)}]`,
    `protocol = ${tomlString(service.protocol)}`,
    `listen = ${tomlString(formatListen(listen))}`,
    `tls = ${service.tls}`,
  ];
  if (listen.kind === 'unix') {
    if (listen.owner !== values.lmtp_socket_owner) lines.push(`owner = ${tomlString(listen.owner)}`);
    if (listen.group !== values.lmtp_socket_group) lines.push(`group = ${tomlString(listen.group)}`);
    if (listen.mode !== values.lmtp_socket_mode) {
      lines.push(`mode = "0${listen.mode.toString(8).padStart(3, '0')}"`);
    }
  } else {
    if (listen.family !== 'any') lines.push(`family = ${tomlString(listen.family)}`);
    if (service.trusted) lines.push('trusted = true');
  }
  if (service.proxy_protocol) lines.push('proxy_protocol = true');
  if (service.maxchild > 0) lines.push(`maxchild = ${service.maxchild}`);
  for (const key of serviceTlsKeys) {
    if (service[key] !== '') lines.push(`${key} = ${tomlString(service[key])}`);
  }
  return lines;
}

function eventBlock({ name, job, when }: ScheduledEvent): string[] {
  const time = when.kind === 'at'
    ? `at = "${formatTimeOfDay(when)}"`
    : `every = "${writeDuration(when.seconds)}"`;
  return [`[events.${tomlKey(name)}]`, `job = ${tomlString(job)}`, time];
}
