// Speaks to a node as a page would: @connectrpc/connect-web over fetch, by gRPC-web.
// Usage: node calls.js BASE_URL DESCRIPTORS [TOKEN]; prints one line of JSON.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const [baseUrl, descriptors, token] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const authorize = (next) => (request) => {
  if (token) request.header.set("Authorization", `Bearer ${token}`);
  return next(request);
};
const transport = createGrpcWebTransport({ baseUrl, interceptors: [authorize] });
const node = createClient(registry.getService("vessel.node.v1.NodeService"), transport);
const dev = createClient(registry.getService("vessel.dev.v1.DevService"), transport);

const said = {};
try {
  said.chainId = Number((await node.getServiceInfo({})).chainId);
  said.mined = Number((await dev.mine({ blocks: 2 })).height);
  said.streamed = [];
  for await (const message of node.subscribe({
    what: { case: "blocks", value: {} },
    filter: { fromHeight: 0n, toHeight: 2n },
  })) {
    for (const block of message.blocks) said.streamed.push(Number(block.header.height));
    if (said.streamed.length === 3) break;
  }
  await node.getBlock({ block: { reference: { case: "height", value: 99n } } });
} catch (error) {
  const failed = ConnectError.from(error);
  said.error = { code: failed.code, message: failed.rawMessage };
  const info = failed.details[0]?.value;
  said.error.hasDetails = failed.details.length === 1 && info !== undefined;
}
console.log(JSON.stringify(said));
