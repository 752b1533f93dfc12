import { h, render } from "preact";
import { act } from "preact/test-utils";
import { expect, test } from "vitest";
import { ApiError } from "../src/api/client";
import { faultsOf, type Sending, useSend } from "../src/ui/useSend";

const refused = new ApiError(422, "invalid", "Not acceptable.", [
  { path: "body.email", message: "This is no address." },
  { path: "profile.age", message: "Too young." },
  { path: "role", message: "Unknown." },
]);

test("what a form has no field for is against all of it, each said once", () => {
  expect(faultsOf(refused, ["email", "role"])).toEqual({
    problems: { email: "This is no address.", role: "Unknown." },
    general: ["profile.age: Too young."],
  });
  expect(faultsOf(refused, []).general).toEqual(["body.email: This is no address.", "profile.age: Too young.", "role: Unknown."]);
  expect(faultsOf(new ApiError(409, "taken", "It is taken."), ["email"])).toEqual({ problems: {}, general: ["It is taken."] });
});

test("a request that fails is told of until the next one begins", async () => {
  let now: Sending | undefined;
  const Form = () => {
    now = useSend(["email"]);
    return null;
  };
  act(() => render(h(Form, {}), document.body));
  const send = async (work: () => Promise<unknown>): Promise<boolean | undefined> => {
    let done: boolean | undefined;
    await act(async () => {
      done = await now?.send(work);
    });
    return done;
  };
  expect(await send(() => Promise.reject(refused))).toBe(false);
  expect([now?.busy, now?.problems, now?.general]).toEqual([false, { email: "This is no address." }, ["profile.age: Too young.", "role: Unknown."]]);
  expect(await send(() => Promise.resolve())).toBe(true);
  expect([now?.busy, now?.problems, now?.general]).toEqual([false, {}, []]);
});
