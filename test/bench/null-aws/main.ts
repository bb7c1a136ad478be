import { startNullAws } from "./server.ts";

/** Runs a null AWS for as long as whoever started it keeps its input open, and prints its port. */
const { port } = await startNullAws();
process.stdout.write(`${JSON.stringify({ port })}\n`);
process.stdin.resume().on("end", () => process.exit());
