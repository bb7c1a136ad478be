import {
  type DispatchDependencies,
  type DispatchOutcome,
  dispatchMessage,
  recordHandOver,
} from "../core/dispatch-message.ts";
import { UnreadableItemError } from "../core/errors.ts";
import type { MessageRef } from "../core/message.ts";
import { describeError, type Log } from "../runtime/telemetry.ts";
import type { DispatchInput } from "./schema.ts";

/** Hands messages over, or writes down what became of one that was. */
export function createHandler(deps: DispatchDependencies & { readonly log: Log }) {
  return async (input: DispatchInput) => {
    if ("group" in input) return dispatchGroup(deps, input.group);
    return "ref" in input ? recordHandOver(deps, input) : dispatchMessage(deps, input);
  };
}

/**
 * Hands the messages of a group over side by side.
 * @throws Error where some could not be; the group then comes again, and finds the others done
 */
async function dispatchGroup(
  deps: DispatchDependencies & { readonly log: Log },
  group: readonly MessageRef[],
) {
  const settled = await Promise.allSettled(group.map((ref) => dispatchMessage(deps, ref)));
  const outcomes: Record<string, number> = {};
  const details: { traceId: string; detail: string }[] = [];
  const failures: { traceId: string; error: unknown }[] = [];
  settled.forEach((result, index) => {
    const traceId = group[index]?.traceId ?? "";
    if (result.status === "fulfilled") {
      const key = keyOf(result.value);
      outcomes[key] = (outcomes[key] ?? 0) + 1;
      if (result.value.detail) details.push({ traceId, detail: result.value.detail });
    } else {
      failures.push({ traceId, error: result.reason });
      deps.log.error("message of a group failed", { traceId, ...describeError(result.reason) });
    }
  });
  if (failures.length > 0) throw groupError(group, failures);
  return { group: group.length, outcomes, ...(details.length > 0 && { details }) };
}

/** What a group failed of, by the example of its first failure. */
function groupError(
  group: readonly MessageRef[],
  failures: readonly { readonly traceId: string; readonly error: unknown }[],
): Error {
  const [first] = failures;
  const { error: name, detail = "" } = describeError(first?.error);
  const message = `${failures.length} of a group of ${group.length} failed; ${first?.traceId}: ${name}: ${detail}`;
  // Where nothing else is left of it, the group need not come again.
  return failures.every(({ error }) => error instanceof UnreadableItemError)
    ? new UnreadableItemError(message)
    : new Error(message);
}

const keyOf = (outcome: DispatchOutcome) =>
  outcome.kind === "moved" ? outcome.state : outcome.kind;
