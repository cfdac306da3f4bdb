// A certified OpenID Connect provider with made-up accounts, for one test run on loopback.
// Arguments: its port, our callback, where we may be come back to after logout, the accounts.
import Provider from "oidc-provider";

const [port, callback, afterLogout, accounts] = process.argv.slice(2);
const people = JSON.parse(accounts);
const issuer = `http://localhost:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "kindred",
      client_secret: "a secret",
      redirect_uris: [callback],
      post_logout_redirect_uris: [afterLogout],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  cookies: { keys: ["for this run only"] },
  pkce: { required: () => true },
  claims: { openid: ["sub", "role", "orgs", "person"] },
  conformIdTokenClaims: false,
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, ...people[id] }),
  }),
  features: { devInteractions: { enabled: true } },
});

provider.listen(Number(port), "localhost", () => process.stdout.write("listening\n"));
