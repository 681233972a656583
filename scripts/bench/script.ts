/** A script of 60 rules as a web interface writes it, in what every server's Sieve has; no rule is for the mail that is measured. */

export const SIEVE_USERS = ['sieve1user', 'sieve8user', 'sieve32user'];

const RULES = 60;

const TESTS: readonly ((n: number) => string)[] = [
  (n) => `header :contains "subject" ["offer ${n}", "sale ${n}"]`,
  (n) => `address :is ["from", "sender"] ["list${n}@lists.example.org", "owner${n}@lists.example.org"]`,
  (n) => `allof (header :matches "subject" "[project-${n}] *", not size :over 1M)`,
  (n) =>
    `anyof (address :domain :is "from" "shop${n}.example.com", header :contains "x-mailer" "mailer ${n}")`,
  (n) => `exists ["x-list-${n}", "list-id"]`,
  (n) => `header :is "x-priority-${n}" "1"`,
];

export const SCRIPT = `require ["fileinto"];\r\n${
  Array.from({ length: RULES }, (_, n) => {
    const test = TESTS[n % TESTS.length] as (n: number) => string;
    return `# rule:[rule ${n}]\r\nif ${test(n)} {\r\n  fileinto "Folder ${n % 10}";\r\n  stop;\r\n}\r\n`;
  }).join('')
}`;
