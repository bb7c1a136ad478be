import * as z from "zod";

const text = z.string().refine((written) => written.isWellFormed(), "not well-formed Unicode");
const keyword = text.trim().min(1).max(50);
const answer = text.max(160);

/** What a person can answer not to be sent anything any more, and to be sent things again. */
export const optOutSchema = z.object({
  enabled: z.boolean().default(true),
  /** Compared with the whole answer, without regard to case, accents and surrounding punctuation. */
  keywords: z.array(keyword).default(["SAIR", "PARAR", "STOP", "CANCELAR"]),
  backKeywords: z.array(keyword).default(["VOLTAR", "START"]),
  /** What answers the first opt-out; empty for nothing. */
  confirmation: answer.default(
    "Voce nao recebera mais nossas mensagens. Para voltar a receber, responda VOLTAR.",
  ),
  /** What answers the way back; empty for nothing. */
  backConfirmation: answer.default("Voce voltara a receber nossas mensagens."),
});
export type OptOut = z.output<typeof optOutSchema>;

/** Combining marks, which stand behind the letters that they accent once these are decomposed. */
const MARKS = /\p{M}/gu;
const SURROUNDING = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

/** What keywords are compared by: no accents, no case, nothing around. */
export const essenceOf = (text: string) =>
  text.normalize("NFD").replace(MARKS, "").replace(SURROUNDING, "").toUpperCase();

/** A word that is among those that opt out and among those that opt in again, if there is one. */
export function ambiguousWord({ keywords, backKeywords }: OptOut): string | undefined {
  const out = new Set(keywords.map(essenceOf));
  // What has no essence is never answered.
  out.delete("");
  return backKeywords.find((word) => out.has(essenceOf(word)));
}
