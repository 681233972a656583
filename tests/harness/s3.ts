/**
 * A small S3 service on loopback: one bucket in memory. It computes the signature of every request for itself (AWS Signature
 * Version 4), lists in pages, takes uploads in parts, and fails where a test wants it to.
 */

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const ACCESS_KEY = 'AKIDEXAMPLE';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

export interface S3Request {
  readonly method: string;
  /** Key of the object, '' for the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
}

/** How a request fails: an error of the server, a refusal, silence, half an answer, a wrong ETag, a body that loses its end. */
export type S3Failure = '500' | 'denied' | 'silence' | 'truncate' | 'etag' | 'lossy';

const PAGE = 7;

export class S3Server {
  readonly objects = new Map<string, Buffer>();
  /** Bytes and requests that were taken. */
  received = 0;
  readonly requests: S3Request[] = [];
  /** Requests whose signature was not right. */
  refused = 0;
  /** Asked for each request; undefined lets it pass. */
  fail: (request: S3Request) => S3Failure | undefined = () => undefined;
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server: Server;

  private constructor(readonly bucket: string, readonly region: string) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(bucket = 'backups', region = 'eu-test-1'): Promise<S3Server> {
    const server = new S3Server(bucket, region);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Uploads in parts that were neither completed nor aborted. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const blocks: Buffer[] = [];
    for await (const block of request) blocks.push(block as Buffer);
    let body = Buffer.concat(blocks);
    const url = new URL(request.url ?? '/', this.endpoint);
    const { method = '' } = request;
    if (!this.#signed(request, url)) {
      this.refused++;
      return error(response, 403, 'SignatureDoesNotMatch');
    }
    const path = decodeURIComponent(url.pathname);
    if (path !== `/${this.bucket}/` && path !== `/${this.bucket}` && !path.startsWith(`/${this.bucket}/`)) {
      return error(response, 404, 'NoSuchBucket');
    }
    const key = path.slice(this.bucket.length + 2);
    const asked = { method, key, query: url.searchParams };
    this.requests.push(asked);
    const failure = this.fail(asked);
    if (failure === '500') return error(response, 500, 'InternalError');
    if (failure === 'denied') return error(response, 403, 'AccessDenied');
    if (failure === 'silence') return;
    this.received += body.length;
    if (failure === 'lossy') body = body.subarray(0, body.length >> 1);
    switch (method) {
      case 'PUT':
        return this.#put(asked, body, failure, response);
      case 'POST':
        return this.#post(asked, body, response);
      case 'DELETE':
        this.#uploads.delete(asked.query.get('uploadId') ?? '');
        if (key !== '' && !asked.query.has('uploadId')) this.objects.delete(key);
        response.writeHead(204).end();
        return;
      case 'GET':
        if (key === '') return this.#list(asked.query, response);
    }
    const object = this.objects.get(key);
    if (object === undefined) return error(response, 404, 'NoSuchKey', method === 'HEAD');
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = range?.[2] === undefined || range[2] === '' ? object.length : Number(range[2]) + 1;
    const bytes = object.subarray(from, to);
    response.writeHead(range === null ? 200 : 206, {
      'content-length': bytes.length,
      'last-modified': new Date(0).toUTCString(),
      etag: failure === 'etag' ? '"00000000000000000000000000000000"' : etagOf(object),
      ...(range === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${object.length}` }),
    });
    if (method === 'HEAD') response.end();
    else if (failure === 'truncate') {
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
    } else response.end(bytes);
  }

  #put(
    { key, query }: S3Request,
    body: Buffer,
    failure: S3Failure | undefined,
    response: ServerResponse,
  ): void {
    const upload = query.get('uploadId');
    if (upload === null) this.objects.set(key, body);
    else {
      const parts = this.#uploads.get(upload);
      if (parts === undefined) return error(response, 404, 'NoSuchUpload');
      parts.set(Number(query.get('partNumber')), body);
    }
    response.writeHead(200, {
      etag: failure === 'etag' ? '"ffffffffffffffffffffffffffffffff"' : etagOf(body),
    })
      .end();
  }

  #post({ key, query }: S3Request, body: Buffer, response: ServerResponse): void {
    if (query.has('uploads')) {
      const id = `upload${this.requests.length}`;
      this.#uploads.set(id, new Map());
      const names = `<Bucket>${this.bucket}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId>`;
      return xml(response, 200, `<InitiateMultipartUploadResult>${names}</InitiateMultipartUploadResult>`);
    }
    const id = query.get('uploadId') ?? '';
    const parts = this.#uploads.get(id);
    if (parts === undefined) return error(response, 404, 'NoSuchUpload');
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
    const whole: Buffer[] = [];
    for (const [, number, etag] of named) {
      const part = parts.get(Number(number));
      if (part === undefined || etagOf(part) !== etag?.replaceAll('&quot;', '"')) {
        return error(response, 400, 'InvalidPart');
      }
      whole.push(part);
    }
    this.#uploads.delete(id);
    this.objects.set(key, Buffer.concat(whole));
    xml(
      response,
      200,
      `<CompleteMultipartUploadResult><ETag>"${'a'.repeat(32)}-2"</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, PAGE);
    const more = keys.length > PAGE;
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    const contents = page.map((key) =>
      `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length}</Size><ETag>"x"</ETag></Contents>`
    ).join('');
    xml(
      response,
      200,
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents}</ListBucketResult>`,
    );
  }

  /** Signature Version 4 as the service documents it: canonical request, string to sign, derived key. */
  #signed(request: IncomingMessage, url: URL): boolean {
    const { authorization = '', 'x-amz-date': date = '' } = request.headers;
    const found =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
        .exec(authorization);
    if (found === null) return false;
    const [, access, day, region, names, signature] = found as unknown as [string, ...string[]];
    if (access !== ACCESS_KEY || region !== this.region || !String(date).startsWith(day as string)) {
      return false;
    }
    const headers = (names as string).split(';').map((name) =>
      `${name}:${String(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`
    ).join('');
    const query = url.search.slice(1).split('&').filter((part) => part !== '')
      .map((part) => part.includes('=') ? part : `${part}=`).sort().join('&');
    const canonical = [
      request.method,
      url.pathname,
      query,
      headers,
      names,
      String(request.headers['x-amz-content-sha256'] ?? ''),
    ].join('\n');
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join(
      '\n',
    );
    const sign = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
    const key = ['s3', 'aws4_request'].reduce(
      sign,
      sign(sign(`AWS4${SECRET_KEY}`, day as string), region as string),
    );
    return sign(key, text).toString('hex') === signature;
  }
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

function xml(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
}

function error(response: ServerResponse, status: number, code: string, empty = false): void {
  if (empty) response.writeHead(status).end();
  else {xml(
      response,
      status,
      `<Error><Code>${code}</Code><Message>${code} as the test wants it</Message></Error>`,
    );}
}
