// Asks mailauth, a mail authentication library of other authors: one question a line on standard input, one
// answer a line on standard output, both JSON, in the same order. `node oracle.mjs FOLDER`, where FOLDER has
// node_modules. DNS is the zone that the question carries; nothing is asked of the world.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

const load = createRequire(path.resolve(process.argv[2], 'package.json'));
const { spf } = load('mailauth/lib/spf');
const { dkimVerify } = load('mailauth/lib/dkim/verify');
const { arc } = load('mailauth/lib/arc');
const { evaluateDmarc } = load('mailauth/lib/dmarc');
const { getAuthorDomain } = load('mailauth/lib/dmarc/author-domain');

const NOWHERE = { names: {}, failing: [] };
const MAX_ALIASES = 8;

// The rules of tests/rig/zone.py, with the error codes of Node's own resolver.
class Zone {
    constructor({ names, failing }) {
        this.names = new Map(Object.entries(names));
        this.failing = new Set(failing);
        this.exist = new Set();
        for (const name of this.names.keys()) {
            const labels = name.split('.');
            labels.forEach((_, cut) => this.exist.add(labels.slice(cut).join('.')));
        }
    }

    resolver() {
        return async (name, type) => this.find(name, type);
    }

    find(name, type) {
        for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
            const key = canonical(name);
            if (key === null) {
                throw failure('EBADNAME', name);
            }
            if (this.failing.has(key) || this.failing.has(`${type} ${key}`)) {
                throw failure('ESERVFAIL', name);
            }
            const records = this.names.get(key) ?? {};
            if (records[type]?.length) {
                return records[type].map(record => shaped(record, type));
            }
            if (!records.CNAME?.length) {
                throw failure(this.exist.has(key) ? 'ENODATA' : 'ENOTFOUND', name);
            }
            name = records.CNAME[0];
        }
        throw failure('ESERVFAIL', name);
    }
}

function canonical(name) {
    const key = name.replace(/\.$/, '').toLowerCase();
    const sound = key.length <= 253 && key.split('.').every(label => label.length >= 1 && label.length <= 63);
    return sound && /^[\x20-\x7e]*$/.test(key) ? key : null;
}

function failure(code, name) {
    return Object.assign(new Error(`${code} ${name}`), { code });
}

function shaped(record, type) {
    if (type === 'TXT') {
        return [].concat(record);
    }
    return type === 'MX' ? { priority: record[0], exchange: record[1] } : record;
}

async function checkSpf({ zone, address, helo, mailFrom, maxVoids }) {
    const found = await spf({
        ip: address,
        helo,
        sender: mailFrom,
        mta: 'unknown',
        strict: true,
        maxVoidCount: maxVoids,
        resolver: new Zone(zone).resolver()
    });
    return {
        result: found.status.result,
        explanation: found.explanation ?? '',
        comment: found.status.comment ?? ''
    };
}

async function checkMessage({ zone, octets, now }) {
    const resolver = new Zone(zone).resolver();
    const options = { resolver, strict: true, curTime: new Date(now) };
    const dkim = await dkimVerify(Buffer.from(octets, 'base64'), options);
    const chain = await arc(dkim.arc, options);
    return {
        signatures: dkim.results.map(one => ({
            domain: one.signingDomain ?? '',
            selector: one.selector ?? '',
            result: one.status.result,
            comment: one.status.comment ?? '',
            rules: one.status.policy?.['dkim-rules'] ?? ''
        })),
        chain: { result: chain.status.result, comment: chain.status.comment ?? '', instance: chain.i || 0 }
    };
}

async function checkAuthor({ octets }) {
    const found = await dkimVerify(Buffer.from(octets, 'base64'), { resolver: new Zone(NOWHERE).resolver() });
    const author = getAuthorDomain(found.headerFrom, found.fromFields);
    return { domains: author.authorDomain ? [author.authorDomain] : author.domains, problem: author.reason ?? '' };
}

async function checkDmarc({ zone, author, spfDomains, dkimDomains }) {
    const { response, dkimAligned } = await evaluateDmarc({
        headerFrom: [`joe@${author}`],
        fromFields: 1,
        spfDomains,
        dkimDomains: dkimDomains.map(domain => ({ domain })),
        resolver: new Zone(zone).resolver(),
        strict: true
    });
    return {
        result: response.status.result,
        policy: response.policy ?? '',
        policyDomain: response.policyDomain ?? '',
        // Where the result is none it is that of the walk as well.
        organization: response.domain ?? '',
        spf: Boolean(response.alignment?.spf.result),
        dkim: [...(dkimAligned ?? [])].sort(),
        why: response.error ?? ''
    };
}

const CHECKS = { spf: checkSpf, message: checkMessage, author: checkAuthor, dmarc: checkDmarc };

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const question = JSON.parse(line);
    let answer;
    try {
        answer = await CHECKS[question.check](question);
    } catch (error) {
        // It broke on this question: that is an opinion too.
        answer = { broken: String(error?.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
