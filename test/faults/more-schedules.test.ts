import { playSchedules } from "./play-schedules.ts";

playSchedules(1);
