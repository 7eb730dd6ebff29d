#include "node/picketctl/requests.hpp"

#include <gtest/gtest.h>

#include "node/picketctl/target.hpp"

namespace picket::ctl {
namespace {

std::string shown(const api_request& request) {
  return request.method + " " + request_target(request) + (request.body.empty() ? "" : " " + request.body);
}

TEST(Requests, SayWhatTheArgumentsSay) {
  EXPECT_EQ(shown(list_agents({}, 0)), "GET /agents?offset=0&limit=1000");
  EXPECT_EQ(shown(list_agents({"^web-[0-9]+$", "active", "web"}, 2'000)),
            "GET /agents?match=%5Eweb-%5B0-9%5D%2B%24&status=active&group=web&offset=2000&limit=1000");
  EXPECT_EQ(shown(show_agent("7")), "GET /agents?agents_list=007");
  EXPECT_EQ(shown(add_agent("web-01", "", {})), R"(POST /agents {"name":"web-01"})");
  EXPECT_EQ(shown(add_agent("a\"b", "10.0.0.1", {"web", "linux"})),
            R"(POST /agents {"name":"a\"b","ip":"10.0.0.1","groups":["web","linux"]})");
  EXPECT_EQ(shown(remove_agents({"1", "0042"})),
            "DELETE /agents?agents_list=001,042&status=all&older_than=0s");
  EXPECT_EQ(shown(agent_key("12")), "GET /agents/012/key");
  EXPECT_EQ(shown(change_groups("1", "add", {"web"})),
            R"(PUT /picket/agents/001/groups {"change":"add","groups":["web"]})");
  EXPECT_EQ(shown(import_keys("001 a any k\n", true)), "POST /picket/keys?skip_faults=true 001 a any k\n");
  EXPECT_EQ(shown(import_keys("x", false)), "POST /picket/keys x");
  EXPECT_EQ(shown(export_keys()), "GET /picket/keys");
  EXPECT_EQ(shown(list_groups(0)), "GET /groups?offset=0&limit=1000");
  EXPECT_EQ(shown(add_group("web")), R"(POST /groups {"group_id":"web"})");
  EXPECT_EQ(shown(remove_groups({"web", "a b"})), "DELETE /groups?groups_list=web,a%20b");
  EXPECT_EQ(shown(node_status()), "GET /picket/node/status");
  EXPECT_EQ(shown(list_letters(1'000)), "GET /picket/deadletter?offset=1000&limit=1000");
  EXPECT_EQ(shown(show_letter("2-77/1")), "GET /picket/deadletter/2-77%2F1");
  EXPECT_EQ(shown(retry_letters({"2-77-1", "all"})), "PUT /picket/deadletter/retry?letters_list=2-77-1,all");
  EXPECT_EQ(shown(drop_letters({"all"})), "DELETE /picket/deadletter?letters_list=all");
  EXPECT_EQ(shown(drain_node(true)), "PUT /picket/drain");
  EXPECT_EQ(shown(drain_node(false)), "DELETE /picket/drain");
  EXPECT_EQ(shown(list_faults()), "GET /picket/faults");
  EXPECT_EQ(shown(set_fault("a-b", "5")), R"(PUT /picket/faults/a-b {"value":"5"})");
  EXPECT_EQ(shown(set_fault("a/b", "off")), "DELETE /picket/faults/a%2Fb");
}

TEST(Requests, TextInAPathCannotBecomeAnotherRequest) {
  EXPECT_EQ(shown(agent_key("1/../../x?y#z")), "GET /agents/1%2F..%2F..%2Fx%3Fy%23z/key");
  EXPECT_EQ(shown(change_groups("1\r\nHost: x", "set", {})),
            R"(PUT /picket/agents/1%0D%0AHost%3A%20x/groups {"change":"set","groups":[]})");
}

TEST(Requests, IdsAreWrittenAsTheNodeWritesThem) {
  EXPECT_EQ(normal_id("1"), "001");
  EXPECT_EQ(normal_id("0000001"), "001");
  EXPECT_EQ(normal_id("12345"), "12345");
  EXPECT_EQ(normal_id("0"), "000");
  EXPECT_EQ(normal_id("x"), "x");
  EXPECT_EQ(normal_id(""), "");
  EXPECT_EQ(normal_id("123456789"), "123456789");
}

TEST(Url, HasHostAndPort) {
  auto parts = parse_url("https://node-1.example:5500/");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->host, "node-1.example");
  EXPECT_EQ(parts->port, 5'500);
  parts = parse_url("https://[::1]:55001");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->host, "::1");
  EXPECT_EQ(parts->port, 55'001);
  parts = parse_url("https://127.0.0.1");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->port, 55'000);
  for (const char* wrong :
       {"", "127.0.0.1", "http://127.0.0.1:55000", "https://", "https://:1", "https://a:", "https://a:0",
        "https://a:65536", "https://a:1x", "https://a/b", "https://user@a", "https://[::1", "https://[::1]x"})
    EXPECT_FALSE(parse_url(wrong)) << wrong;
}

TEST(Url, EveryAddressIsReachedOnThisMachine) {
  EXPECT_EQ(reachable({"", 55'000}).host, "127.0.0.1");
  EXPECT_EQ(reachable({"0.0.0.0", 55'000}).host, "127.0.0.1");
  EXPECT_EQ(reachable({"::", 55'000}).host, "127.0.0.1");
  EXPECT_EQ(reachable({"192.0.2.7", 55'000}).host, "192.0.2.7");
  EXPECT_EQ(reachable({"", 7}).port, 7);
}

} // namespace
} // namespace picket::ctl
