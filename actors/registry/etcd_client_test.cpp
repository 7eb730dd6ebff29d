#include "actors/registry/etcd_client.hpp"

#include <gtest/gtest.h>

#include "actors/registry/etcd_store.hpp"

namespace picket::registry {
namespace {

TEST(EtcdClient, ReadsEndpoints) {
  EXPECT_EQ(*parse_endpoint("127.0.0.1:1517"), (std::pair<std::string, int>{"127.0.0.1", 1517}));
  EXPECT_EQ(*parse_endpoint("[::1]:2379"), (std::pair<std::string, int>{"::1", 2379}));
  EXPECT_EQ(*parse_endpoint("etcd-1.example:65535"), (std::pair<std::string, int>{"etcd-1.example", 65535}));
  for (std::string bad :
       {"", ":", "host", "host:", ":1", "host:0", "host:65536", "host:99999999999", "host:1x", "[]:1"})
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
}

TEST(EtcdClient, NobodyThereIsSurelyNotDone) {
  etcd_access access;
  access.endpoints = {"127.0.0.1:1", "no port"};
  etcd_connection connection{access};
  for (int i = 0; i < 3; ++i) {
    auto reply = connection.post("/v3/kv/txn", "{}", 500);
    EXPECT_EQ(reply.kind, reply_kind::not_sent);
    EXPECT_FALSE(to_string(reply.why).empty());
  }
  EXPECT_EQ(connection.endpoint(), "no port") << "each failure moves on to the next";
  etcd_connection nowhere{etcd_access{}};
  EXPECT_EQ(nowhere.post("/v3/kv/txn", "{}", 500).kind, reply_kind::not_sent);
}

TEST(EtcdClient, AStreamToNobodyEnds) {
  etcd_access access;
  access.endpoints = {"127.0.0.1:1"};
  etcd_line_stream stream{access, 7, "/v3/watch", "{}"};
  auto taken = stream.next(10'000);
  EXPECT_TRUE(taken.ended);
  EXPECT_EQ(taken.how.kind, reply_kind::not_sent);
}

TEST(EtcdStore, GathersWholeRevisionsAndPassesForeignKeysOver) {
  auto changes = etcd_store::revisions_of("/picket/c/t/", {{"/picket/c/t/group/a", "1", 5},
                                                           {"/picket/d/t/group/x", "1", 5},
                                                           {"/picket/c/t/head", "h", 5},
                                                           {"/picket/c/t/agent/00000001", std::nullopt, 6}});
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].revision, 5u);
  EXPECT_EQ(changes[0].rows, (std::vector<store::row_write>{{store::registry_table::groups, "a", "1"},
                                                            {store::registry_table::head, "", "h"}}));
  EXPECT_EQ(changes[1].rows, (std::vector<store::row_write>{
                                 {store::registry_table::agents, store::agent_key(1), std::nullopt}}));
}

} // namespace
} // namespace picket::registry
