import { rows } from './limit.ts';

/** Mime: what a stored message may make us compute. The message itself is always kept and served whole. */
export const mimeLimits = rows({
  mime_depth: {
    value: 100,
    unit: 'levels',
    reason: 'nesting of multiparts and encapsulated messages costs memory per level (CVE-2020-12100)',
    onExcess: 'the part at that depth is described as one opaque application/octet-stream part',
  },
  mime_parts: {
    value: 10_000,
    unit: 'count',
    reason: 'a message of nothing but boundaries would make a BODYSTRUCTURE larger than itself',
    onExcess: 'the last part is opaque and reaches to the end of the message',
  },
  mime_header_block: {
    value: 10 << 20,
    unit: 'bytes',
    reason: 'the header block of one part is held as a string while it is read (CVE-2024-23185)',
    onExcess: 'fields beyond it are not looked at; their bytes are still part of the header',
  },
  mime_header_total: {
    value: 50 << 20,
    unit: 'bytes',
    reason: 'all header blocks of one message together (CVE-2024-23185)',
    onExcess: 'header blocks beyond it are not looked at; their parts get the defaults of RFC 2045 §5.2',
  },
  mime_header_fields: {
    value: 100_000,
    unit: 'count',
    reason: 'a field is looked at one by one; real mail has fewer than a hundred',
    onExcess: 'later fields of the block are not looked at',
  },
  mime_boundary: {
    value: 200,
    unit: 'bytes',
    reason: 'RFC 2046 §5.1.1 allows 70; some senders exceed it, and a delimiter line is compared as a whole',
    onExcess: 'the multipart is described as text/plain, as one without a boundary is',
  },
  mime_parameters: {
    value: 128,
    unit: 'count',
    reason: 'parameters of one Content-Type or Content-Disposition (CVE-2026-27859)',
    onExcess: 'later parameters are left out of BODYSTRUCTURE',
  },
  mime_continuations: {
    value: 128,
    unit: 'count',
    reason: 'RFC 2231 §3 continuations of one parameter (CVE-2026-27859)',
    onExcess: 'later continuations are left out of the value',
  },
  mime_addresses: {
    value: 5_000,
    unit: 'count',
    reason: 'addresses of one kind in an ENVELOPE (CVE-2024-23184); large announcements reach a few thousand',
    onExcess: 'later addresses are left out of ENVELOPE; BODY[HEADER] has them',
  },
  mime_string: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'one string of ENVELOPE or BODYSTRUCTURE; a 10 MB Subject would be sent with every listing',
    onExcess: 'the string is cut there in ENVELOPE and BODYSTRUCTURE; BODY[HEADER] has it whole',
  },
  mime_references: {
    value: 1_000,
    unit: 'count',
    reason: 'message ids of one References or In-Reply-To field; threading is a walk over them',
    onExcess: 'the first and the newest ids are kept, those between are dropped',
  },
});
