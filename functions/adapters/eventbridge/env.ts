import * as z from "zod";
import { filledText } from "../variables.ts";

/** What a function needs to know to put events on the bus. */
export const eventBusEnv = z.object({ EVENT_BUS_NAME: filledText });
