import type { TestProject } from "vitest/node";
import { capabilityOf, synthesise } from "../infra/synth.ts";
import { readTopology, type Topology } from "./topology.ts";

declare module "vitest" {
  export interface ProvidedContext {
    topology: Topology;
  }
}

/** Reads the stack out of the template that would be deployed. */
export default function setup(project: TestProject): void {
  project.provide("topology", readTopology(synthesise("dev").torpedo, capabilityOf));
}
