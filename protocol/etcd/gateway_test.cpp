#include "protocol/etcd/gateway.hpp"

#include <gtest/gtest.h>

#include "protocol/etcd/base64.hpp"

namespace picket::protocol::etcd {
namespace {

TEST(Base64, BothWays) {
  for (auto [bytes, text] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(all)), all);
  for (auto bad : {"Z", "Zg", "Zg=", "Z===", "====", "Zm=v", "Zm9*", "Zg==Zg=="})
    EXPECT_FALSE(decode_base64(bad)) << bad;
}

TEST(EtcdGateway, ATransactionComparesTheGuardsRevisionAndValue) {
  transaction what{
      "/p/head", 7, "row", {{"/p/a", "1", ""}, {"/p/b", std::nullopt, ""}, {"/p/l1", std::nullopt, "/p/l3"}}};
  EXPECT_EQ(encode(what),
            R"({"compare":[{"key":"L3AvaGVhZA==","mod_revision":"7","result":"EQUAL","target":"MOD"},)"
            R"({"key":"L3AvaGVhZA==","result":"EQUAL","target":"VALUE","value":"cm93"}],)"
            R"("failure":[{"request_range":{"key":"L3AvaGVhZA=="}}],)"
            R"("success":[{"request_put":{"key":"L3AvYQ==","value":"MQ=="}},)"
            R"({"request_delete_range":{"key":"L3AvYg=="}},)"
            R"({"request_delete_range":{"key":"L3AvbDE=","range_end":"L3AvbDM="}}]})");
  what.guard_revision = 0;
  EXPECT_EQ(encode(what).find("VALUE"), std::string::npos) << "there must be none";
  EXPECT_NE(encode(what).find(R"("mod_revision":"0")"), std::string::npos);
}

TEST(EtcdGateway, ReadsTheAnswersOfTransactions) {
  auto done = decode_transaction_answer(
      R"({"header":{"cluster_id":"14841639068965178418","member_id":"10276657743932975437","revision":"12",)"
      R"("raft_term":"2"},"succeeded":true,"responses":[{"response_put":{"header":{"revision":"12"}}}]})");
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_TRUE(done->succeeded);
  EXPECT_EQ(done->from.cluster, 14841639068965178418U);
  EXPECT_EQ(done->from.revision, 12u);
  auto lost = decode_transaction_answer(
      R"({"header":{"revision":"15"},"responses":[{"response_range":{"kvs":[{"key":"L3AvaGVhZA==",)"
      R"("create_revision":"2","mod_revision":"13","version":"4","value":"cm93"}],"count":"1"}}]})");
  ASSERT_TRUE(lost) << to_string(lost.error());
  EXPECT_FALSE(lost->succeeded) << "false is left out";
  EXPECT_EQ(lost->guard, (key_value{"/p/head", "row", 13}));
  auto none = decode_transaction_answer(R"({"header":{},"responses":[{"response_range":{"header":{}}}]})");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->guard);
}

TEST(EtcdGateway, ReadsRanges) {
  EXPECT_EQ(encode(range_request{"a", "b", 10, 3}),
            R"({"key":"YQ==","limit":"10","range_end":"Yg==","revision":"3"})");
  EXPECT_EQ(encode(range_request{"a", "", 0, 0}), R"({"key":"YQ=="})");
  auto rows = decode_range_answer(
      R"({"header":{"revision":"9"},"kvs":[{"key":"YQ==","mod_revision":"4","value":"MQ=="},{"key":"Yg==",)"
      R"("mod_revision":"9"}],"more":true,"count":"7","something_new":{"x":[1]}})");
  ASSERT_TRUE(rows) << to_string(rows.error());
  EXPECT_TRUE(rows->more);
  EXPECT_EQ(rows->rows, (std::vector<key_value>{{"a", "1", 4}, {"b", "", 9}}));
  EXPECT_TRUE(decode_range_answer(R"({"header":{"revision":"9"}})")->rows.empty());
}

TEST(EtcdGateway, ReadsTheLinesOfAWatch) {
  EXPECT_EQ(encode(watch_request{"a", "b", 5}),
            R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"5"}})");
  auto created =
      decode_watch_message(R"({"result":{"header":{"cluster_id":"1","revision":"4"},"created":true}})");
  ASSERT_TRUE(created);
  EXPECT_TRUE(created->created);
  auto changed = decode_watch_message(
      R"({"result":{"header":{"revision":"6"},"events":[{"kv":{"key":"YQ==","mod_revision":"5","value":"MQ=="}},)"
      R"({"type":"DELETE","kv":{"key":"Yg==","mod_revision":"6"}}]}})");
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(changed->events, (std::vector<event>{{"a", "1", 5}, {"b", std::nullopt, 6}}));
  auto gone = decode_watch_message(R"({"result":{"header":{},"canceled":true,"compact_revision":"40"}})");
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->canceled);
  EXPECT_EQ(gone->compacted, 40u);
  auto failed =
      decode_watch_message(R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})");
  ASSERT_TRUE(failed);
  ASSERT_TRUE(failed->failed);
  EXPECT_EQ(failed->failed->code, 14u);
  EXPECT_EQ(failed->failed->message, "etcdserver: no leader");
}

TEST(EtcdGateway, RefusesWhatIsNoAnswer) {
  for (std::string body :
       {"", "null", "[]", "3", "{", R"({"header":3})", R"({"header":{"revision":"x"}})",
        R"({"header":{"revision":"-1"}})", R"({"header":{"revision":"99999999999999999999"}})",
        R"({"kvs":{}})", R"({"kvs":[3]})", R"({"kvs":[{"key":"*"}]})", R"({"more":"yes"})"})
    EXPECT_FALSE(decode_range_answer(body)) << body;
  for (std::string line :
       {"{}", R"({"result":{"events":[{}]}})", R"({"result":{"events":3}})",
        R"({"result":{"events":[{"type":"MOVE","kv":{}}]}})",
        R"({"result":{"events":[{"kv":{"mod_revision":"5"}},{"kv":{"mod_revision":"4"}}]}})"})
    EXPECT_FALSE(decode_watch_message(line)) << line;
  std::string deep(100'000, '[');
  EXPECT_FALSE(decode_range_answer(deep));
}

TEST(EtcdGateway, ReadsFailuresInEveryForm) {
  auto one = decode_failure(R"({"error":"etcdserver: too many requests","message":"x","code":8})");
  EXPECT_EQ(one.code, 8u);
  EXPECT_EQ(one.message, "x");
  EXPECT_EQ(decode_failure(R"({"error":{"grpc_code":11,"message":"compacted"}})").code, 11u);
  EXPECT_EQ(decode_failure("404 page not found\n").message, "404 page not found\n");
  EXPECT_EQ(decode_failure(std::string(10'000, 'x')).message.size(), 256u);
}

TEST(EtcdGateway, TheEndOfAPrefix) {
  EXPECT_EQ(end_of_prefix("/picket/1/t/"), "/picket/1/t0");
  EXPECT_EQ(end_of_prefix("a\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff"), std::string(1, '\0'));
}

} // namespace
} // namespace picket::protocol::etcd
