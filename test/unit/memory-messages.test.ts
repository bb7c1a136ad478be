import { MemoryMessages } from "../support/memory.ts";
import { describeMessageStore } from "../support/message-store-contract.ts";

describeMessageStore("messages in memory", (clock) => new MemoryMessages(clock));
