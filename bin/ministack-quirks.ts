/**
 * Everything that makes up for a difference between MiniStack and AWS, and nothing else: each with
 * what AWS does, so that it can be deleted when upstream mends it. Checked on MiniStack 1.5.33.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import {
  CloudFormationClient,
  DescribeStackResourceCommand,
  GetTemplateCommand,
} from "@aws-sdk/client-cloudformation";
import {
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { type AwsConnection, withoutProxyForLoopback } from "./local/local-aws.ts";

/** Variables of ours that an outbound connection may need: a proxy, and whom to trust. */
const NETWORK_VARIABLES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "http_proxy",
  "https_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/**
 * The environment to start MiniStack with.
 *
 * AWS: a function sees its own variables and those of its runtime. MiniStack: a function inherits
 * all of the emulator's, so that has none of the developer's credentials, profiles or options.
 *
 * @param from the environment that we run in ourselves
 */
export function cleanEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(NETWORK_VARIABLES.map((name) => [name, from[name]])),
    NO_PROXY: withoutProxyForLoopback(from),
    no_proxy: withoutProxyForLoopback(from),
    // AWS: the runtime's own Node. MiniStack: the first `node` of the path, so ours comes first.
    PATH: [dirname(process.execPath), from.PATH].join(delimiter),
    HOME: from.HOME,
    LANG: from.LANG ?? "C.UTF-8",
    // AWS: functions run in UTC. MiniStack: in the time zone of the machine.
    TZ: "UTC",
    // AWS: a Node that the SDK supports. MiniStack: the machine's, of which the SDK may complain in
    // the logs of every cold start.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}

const PROGRAM = `
import copy

from ministack.app import main
from ministack.services import dynamodb

insert = dynamodb._partiql_insert


def insert_and_tell(table, parsed):
    answer = insert(table, parsed)
    if answer[0] == 200:
        item = parsed["item"]
        item = item["M"] if set(item) == {"M"} else item
        dynamodb._emit_stream_event(table["TableName"], "INSERT", None, copy.deepcopy(item))
    return answer


update = dynamodb._partiql_update


def update_and_tell(table, parsed, data=None):
    def stored():
        pk, sk, _, error = dynamodb._partiql_key_target(table, parsed)
        return None if error else copy.deepcopy(table["items"].get(pk, {}).get(sk))

    before = stored()
    answer = update(table, parsed, data)
    after = stored()
    if answer[0] == 200 and before != after:
        dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)
    return answer


dynamodb._partiql_insert = insert_and_tell
dynamodb._partiql_update = update_and_tell
main()
`;

/**
 * The arguments with which Python runs MiniStack.
 *
 * AWS: a table's stream shows what PartiQL inserts and updates. MiniStack: it does not, so it is told
 * to, in the way it does for PutItem and UpdateItem. One line, because not every `ps` shows more.
 */
export const MINISTACK_PROGRAM: readonly [string, string] = [
  "-c",
  `exec(${JSON.stringify(PROGRAM)})`,
];

/**
 * The base URL of an HTTP API.
 *
 * AWS: a host name of its own, `https://<apiId>.execute-api.<region>.amazonaws.com`. MiniStack: that
 * host under `localhost`, which Node does not resolve; the same API answers under a path. Its stage
 * `$default` may be left out there (other emulators want it), and is: a dollar sign in an URL
 * breaks when somebody pastes it between double quotes.
 */
export function ministackApiUrl(endpointUrl: string, apiId: string): string {
  return `${endpointUrl}/_aws/execute-api/${apiId}`;
}

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z
        .object({
          TimeToLiveSpecification: z
            .object({ AttributeName: z.string(), Enabled: z.boolean() })
            .optional(),
        })
        .optional(),
    }),
  ),
});

/**
 * Turns on the TTL of each table of a stack.
 *
 * AWS: CloudFormation sets `TimeToLiveSpecification`. MiniStack: its CloudFormation drops it.
 */
export async function enableTimeToLive(aws: AwsConnection, stackName: string): Promise<void> {
  const cloudFormation = new CloudFormationClient(aws);
  const dynamodb = new DynamoDBClient(aws);
  const { TemplateBody } = await cloudFormation.send(
    new GetTemplateCommand({ StackName: stackName }),
  );
  const { Resources } = templateSchema.parse(JSON.parse(TemplateBody ?? ""));
  for (const [logicalId, { Properties }] of Object.entries(Resources)) {
    const wanted = Properties?.TimeToLiveSpecification;
    if (!wanted?.Enabled) continue;
    const { StackResourceDetail } = await cloudFormation.send(
      new DescribeStackResourceCommand({ StackName: stackName, LogicalResourceId: logicalId }),
    );
    const table = { TableName: StackResourceDetail?.PhysicalResourceId };
    const { TimeToLiveDescription: present } = await dynamodb.send(
      new DescribeTimeToLiveCommand(table),
    );
    if (present?.TimeToLiveStatus === "ENABLED" && present.AttributeName === wanted.AttributeName) {
      continue;
    }
    await dynamodb.send(
      new UpdateTimeToLiveCommand({
        ...table,
        TimeToLiveSpecification: { AttributeName: wanted.AttributeName, Enabled: true },
      }),
    );
  }
}

/**
 * Makes a state that was kept ready for an emulator that is about to start on `port`.
 *
 * @param stateDirectory MiniStack's `STATE_DIR`; may be empty, or be missing
 */
export async function prepareState(stateDirectory: string, port: number): Promise<void> {
  await mkdir(stateDirectory, { recursive: true });
  await moveToPort(stateDirectory, port);
  await rewindStreams(stateDirectory);
}

/** Remembers the port that a kept state was made on. Not `.json`, which is MiniStack's own. */
const PORT_FILE = "gateway-port";

/**
 * AWS: the URL of a queue never changes. MiniStack: it holds the emulator's port, and is kept as it
 * was, so a function of a state that was made on another port would look for its queues there.
 */
async function moveToPort(stateDirectory: string, port: number): Promise<void> {
  const portFile = join(stateDirectory, PORT_FILE);
  const former = await readFile(portFile, "utf8").catch(() => undefined);
  if (former !== undefined && former !== String(port)) {
    const entries = await readdir(stateDirectory);
    // dynamodb.json has nothing but what our functions and their users have written.
    for (const name of entries.filter((it) => it.endsWith(".json") && it !== "dynamodb.json")) {
      const file = join(stateDirectory, name);
      const state = await readFile(file, "utf8");
      await writeFile(file, state.replaceAll(`127.0.0.1:${former}`, `127.0.0.1:${port}`));
    }
  }
  await writeFile(portFile, String(port));
}

const lambdaStateSchema = z.looseObject({
  payload: z.looseObject({
    dynamodb_stream_positions: z.looseObject({ data: z.record(z.string(), z.number()) }),
  }),
});

/**
 * AWS: a function goes on with a table's stream where it was. MiniStack: it keeps how many records
 * the function has read, but not the records, and would skip as many of the new ones.
 */
async function rewindStreams(stateDirectory: string): Promise<void> {
  const file = join(stateDirectory, "lambda.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const state = lambdaStateSchema.safeParse(JSON.parse(text)).data;
  if (!state) return;
  const { data } = state.payload.dynamodb_stream_positions;
  for (const mapping of Object.keys(data)) data[mapping] = 0;
  await writeFile(file, JSON.stringify(state));
}
