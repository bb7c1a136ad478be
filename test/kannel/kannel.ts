import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Operator } from "./operator.ts";

const PROGRAMS = ["bearerbox", "smsbox"] as const;
type Program = (typeof PROGRAMS)[number];

/** Programs of the system's are not in everybody's path. */
const PLACES = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

const pathOf = (program: Program) =>
  PLACES.map((place) => join(place, program)).find((path) => existsSync(path));

/** Why there is no Kannel to test with; undefined where there is one. */
export function whyNoKannel(): string | undefined {
  const missing = PROGRAMS.filter((program) => pathOf(program) === undefined);
  return missing.length > 0
    ? `${missing.join(" and ")} cannot be found: apt-get install kannel`
    : undefined;
}

export const USERNAME = "torpedo";
export const PASSWORD = "kannel-password";

/** Of loopback: for its administrator, for smsbox to find bearerbox, and for messages. */
export interface KannelPorts {
  readonly admin: number;
  readonly boxes: number;
  readonly sendsms: number;
}

/** Three that nobody has at the moment. */
export async function freeKannelPorts(): Promise<KannelPorts> {
  const [admin = 0, boxes = 0, sendsms = 0] = await freePorts(3);
  return { admin, boxes, sendsms };
}

/** Where a Kannel takes messages. */
export const sendsmsUrl = ({ sendsms }: KannelPorts) =>
  `http://127.0.0.1:${sendsms}/cgi-bin/sendsms`;

/** What a Kannel of a test is told. */
export interface KannelOptions {
  /** An empty folder of its own, for its configuration, its stores and its logs. */
  readonly directory: string;
  readonly operatorPort: number;
  /** Where MOs go, with Kannel's escapes. */
  readonly moUrl: string;
  /** How they go there; `post-url` where not said. */
  readonly moBy?: "get-url" | "post-url";
  /** Where it listens; free ones where not said. */
  readonly ports?: KannelPorts;
  /** Lines for groups of the configuration, added to what is there. */
  readonly more?: Partial<Record<"core" | "smsc" | "smsbox" | "user" | "service", string>>;
}

/** How long a program may take to come up, in milliseconds. */
const START_MS = 20_000;

/** A bearerbox and an smsbox of the test's own, on free ports of loopback. */
export class Kannel {
  readonly #running = new Map<Program, ChildProcess>();

  private constructor(
    private readonly directory: string,
    readonly ports: KannelPorts,
  ) {}

  static async start(options: KannelOptions): Promise<Kannel> {
    const kannel = new Kannel(options.directory, options.ports ?? (await freeKannelPorts()));
    await mkdir(join(options.directory, "store"), { recursive: true });
    await mkdir(join(options.directory, "dlr"), { recursive: true });
    await writeFile(join(options.directory, "kannel.conf"), configuration(options, kannel.ports));
    await kannel.startBearerbox();
    await kannel.startSmsbox();
    return kannel;
  }

  /** Where SMS are handed over. */
  get url(): string {
    return sendsmsUrl(this.ports);
  }

  async startBearerbox(): Promise<void> {
    this.run("bearerbox");
    await untilListening(this.ports.admin, "bearerbox");
    await untilListening(this.ports.boxes, "bearerbox");
  }

  async startSmsbox(): Promise<void> {
    this.run("smsbox");
    await untilListening(this.ports.sendsms, "smsbox");
  }

  isRunning(program: Program): boolean {
    const child = this.#running.get(program);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Ends a program without a chance to tidy up. */
  async kill(program: Program): Promise<void> {
    const child = this.#running.get(program);
    if (!child) return;
    const ended = this.isRunning(program) && once(child, "exit");
    killGroup(child);
    await ended;
    this.#running.delete(program);
  }

  /** What it says of itself. */
  async status(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/status.txt?password=status`);
    return answer.text();
  }

  /** What a supervisor does after a crash of bearerbox: smsbox, which lost it, begins anew as well. */
  async restart(): Promise<void> {
    await this.kill("smsbox");
    await this.kill("bearerbox");
    await this.startBearerbox();
    await this.startSmsbox();
  }

  async log(program: Program): Promise<string> {
    return readFile(join(this.directory, `${program}.log`), "utf8");
  }

  async stop(): Promise<void> {
    await this.kill("smsbox");
    await this.kill("bearerbox");
  }

  private run(program: Program): void {
    const path = pathOf(program);
    if (!path) throw new Error(whyNoKannel());
    const output = openSync(join(this.directory, `${program}.out`), "a");
    const child = spawn(path, ["-v", "4", "kannel.conf"], {
      cwd: this.directory,
      detached: true,
      stdio: ["ignore", output, output],
    });
    this.#running.set(program, child);
    process.once("exit", () => killGroup(child));
  }
}

/** An smsbox whose bearerbox went away leaves a process behind that looks for it again. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

/** The same as in docs/kannel.md, but for addresses, and for pauses that are shorter. */
function configuration(
  { directory, operatorPort, moUrl, moBy = "post-url", more = {} }: KannelOptions,
  ports: KannelPorts,
): string {
  return `
group = core
admin-port = ${ports.admin}
admin-interface = 127.0.0.1
admin-password = admin
status-password = status
smsbox-port = ${ports.boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
box-deny-ip = "*.*.*.*"
log-file = "${directory}/bearerbox.log"
log-level = 0
store-type = spool
store-location = "${directory}/store"
dlr-storage = spool
dlr-spool = "${directory}/dlr"
sms-resend-freq = 1
sms-resend-retry = 5
${more.core ?? ""}

group = smsc
smsc = smpp
smsc-id = SMPP
host = 127.0.0.1
port = ${operatorPort}
transceiver-mode = true
smsc-username = "kannel"
smsc-password = "${Operator.PASSWORD}"
system-type = ""
reconnect-delay = 1
enquire-link-interval = 10
max-pending-submits = 20
${more.smsc ?? ""}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = ${ports.boxes}
sendsms-port = ${ports.sendsms}
sendsms-interface = 127.0.0.1
log-file = "${directory}/smsbox.log"
log-level = 0
http-request-retry = 10
http-queue-delay = 1
${more.smsbox ?? ""}

group = sendsms-user
username = ${USERNAME}
password = "${PASSWORD}"
concatenation = false
max-messages = 1
${more.user ?? ""}

group = sms-service
keyword = default
catch-all = true
${moBy} = "${moUrl}"
max-messages = 0
omit-empty = true
${more.service ?? ""}
`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function untilListening(port: number, program: Program): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await isListening(port))) {
    if (Date.now() > deadline) throw new Error(`${program} did not come up on port ${port}`);
    await sleep(50);
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
