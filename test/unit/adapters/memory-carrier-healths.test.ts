import { describeCarrierHealths } from "../../support/carrier-healths-contract.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";

describeCarrierHealths("carriers' health in memory", () => new MemoryCarrierHealths());
