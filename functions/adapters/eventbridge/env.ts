import * as z from "zod";

/** What a function needs to know to put events on the bus. */
export const eventBusEnv = z.object({ EVENT_BUS_NAME: z.string().min(1) });
