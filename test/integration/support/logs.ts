import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { clientConfig } from "./stack.ts";

const client = new CloudWatchLogsClient(clientConfig);

/** What the functions have logged. @param functionNamed a part of the names of those that are asked; all where not given */
export async function logLines(functionNamed = ""): Promise<string[]> {
  const lines: string[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {})) {
    for (const { logGroupName = "" } of logGroups) {
      if (!logGroupName.includes(functionNamed)) continue;
      for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
        lines.push(...events.flatMap(({ message }) => message ?? []));
      }
    }
  }
  return lines;
}
