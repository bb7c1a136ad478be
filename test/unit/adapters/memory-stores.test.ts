import { describeBatchStore } from "../../support/batch-store-contract.ts";
import { MemoryBatches, MemoryMos } from "../../support/memory.ts";
import { describeMoStore } from "../../support/mo-store-contract.ts";

describeBatchStore("batches in memory", (clock) => new MemoryBatches(clock));
describeMoStore("MOs in memory", (clock) => new MemoryMos(clock));
