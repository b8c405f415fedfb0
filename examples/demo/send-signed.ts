import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import { signer as deployment } from "../../fixtures/deployment/sign.ts"
import { signer as github } from "../../fixtures/github/sign.ts"
import { signer as linear } from "../../fixtures/linear/sign.ts"
import { signer as slack } from "../../fixtures/slack/sign.ts"

const signers = { github, linear, slack, deployment }

/** The secrets that hub and senders share here. */
export const demoSecrets = {
  github: [github.secrets[0]],
  linear: [linear.secrets[0]],
  slack: [slack.secrets[0]],
  deployment: [deployment.secrets[0]],
}

/** Sends a webhook as its platform would: signed, over HTTP. Throws where it is not taken. */
export async function sendSigned(url: string, request: StoryRequest): Promise<{ duplicate: boolean }> {
  const signer = signers[request.platform]
  const body = Buffer.from(request.body)
  const { headers } = request
  const signature = signer.sign({ body, headers, secret: signer.secrets[0], now: new Date() })
  const response = await fetch(`${url}/webhooks/${request.platform}`, {
    method: "POST",
    headers: { ...headers, ...signature },
    body,
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${request.label}: ${response.status} ${answer}`)
  return JSON.parse(answer)
}
