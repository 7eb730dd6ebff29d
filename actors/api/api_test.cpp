#include "actors/api/api.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "actors/api/envelope.hpp"
#include "actors/api/router.hpp"
#include "actors/api/token.hpp"
#include "actors/testing/fake_node.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string token(64, 't');

struct answer {
  int status = 0;
  std::string type;
  std::string text;
  json body;
};

/// The real endpoint on a port of its own, over a node that is only tables.
class Api : public ::testing::Test {
protected:
  void SetUp() override {
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    node = std::make_shared<testing::fake_node>(std::move(*opened));
    start();
  }

  void start(std::size_t body_limit_bytes = 1 << 20) {
    api_options options;
    options.http.where = *net::parse_endpoint("127.0.0.1:0");
    options.http.body_limit_bytes = body_limit_bytes;
    options.token = token;
    server.reset();
    auto started = start_api(std::move(options), node, counts);
    ASSERT_TRUE(started) << to_string(started.error());
    server = std::move(*started);
  }

  answer send(const std::string& method, const std::string& path, const std::string& body = {},
              const std::string& authorization = "Bearer " + token) {
    httplib::Client client{"127.0.0.1", server->where().port};
    client.set_read_timeout(20);
    httplib::Request request;
    request.method = method;
    request.path = path;
    if (!authorization.empty()) request.headers.emplace("Authorization", authorization);
    if (!body.empty()) {
      request.body = body;
      request.headers.emplace("Content-Type", "application/json");
    }
    auto got = client.send(request);
    if (!got) return {0, {}, httplib::to_string(got.error()), {}};
    return {got->status, got->get_header_value("Content-Type"), got->body,
            json::parse(got->body, nullptr, false)};
  }

  answer get(const std::string& path) { return send("GET", path); }

  std::string add(const std::string& name, const std::string& rest = {}) {
    auto got = send("POST", "/agents", R"({"name":")" + name + "\"" + rest + "}");
    EXPECT_EQ(got.status, 200) << got.text;
    return got.body["data"]["id"];
  }

  /// Ids of a listing.
  std::vector<std::string> ids(const std::string& query = {}) {
    std::vector<std::string> all;
    auto got = get("/agents" + query);
    EXPECT_EQ(got.status, 200) << got.text;
    for (const auto& item : got.body["data"]["affected_items"])
      all.push_back(item["id"]);
    return all;
  }

  testing::scratch_directory scratch;
  std::shared_ptr<testing::fake_node> node;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::unique_ptr<http_server> server;
};

/// The one form of errors: title, detail, and a way to mend it.
void expect_problem(const answer& got, int status, const std::string& detail) {
  EXPECT_EQ(got.status, status) << got.text;
  EXPECT_EQ(got.type, "application/problem+json");
  ASSERT_TRUE(got.body.is_object()) << got.text;
  EXPECT_TRUE(got.body.contains("title"));
  EXPECT_THAT(got.body.value("detail", ""), HasSubstr(detail));
}

TEST_F(Api, WithoutTheTokenNothingIsAnswered) {
  for (const std::string header : {"", "Bearer", "Bearer x", "Basic dGVzdA==", "bearer"}) {
    expect_problem(send("GET", "/agents", {}, header), 401, "No authorization token");
    expect_problem(send("GET", "/no/such/path", {}, header), 401, "No authorization token");
  }
  auto almost = token;
  almost.back() = 'x';
  expect_problem(send("POST", "/agents", R"({"name":"web-01"})", "Bearer " + almost), 401,
                 "No authorization token");
  EXPECT_THAT(ids(), IsEmpty()) << "and nothing is done";
  EXPECT_EQ(counts->api_requests_total.value_for("4xx"), 11);
}

TEST_F(Api, PathsMethodsAndParametersAreChecked) {
  expect_problem(get("/nothing"), 404, "404: Not Found");
  expect_problem(get("/agents/001"), 404, "404: Not Found");
  expect_problem(send("PATCH", "/agents"), 405, "405: Method Not Allowed");
  expect_problem(send("DELETE", "/picket/node/status"), 405, "405");
  expect_problem(get("/agents?color=red"), 400, "Extra query parameter(s) {'color'}");
  expect_problem(get("/picket/node/status?limit=1"), 400, "limit");
  for (const std::string page : {"limit=0", "limit=100001", "limit=x", "limit=-1", "offset=-1", "limit=1e3"})
    expect_problem(get("/agents?" + page), 400, "must be a number");
  expect_problem(get("/agents?status=sleeping"), 400, "'status' cannot be 'sleeping'");
  EXPECT_EQ(get("/agents?pretty=true&wait_for_complete=true").status, 200);
  EXPECT_EQ(get("/agents/").status, 200) << "a slash at the end is no other path";
}

TEST_F(Api, TheNodesStatusTellsWhatIsWrongAndTheFigures) {
  node->ready = false;
  auto data = get("/picket/node/status").body["data"];
  EXPECT_EQ(data["ready"]["ingest"], false);
  EXPECT_EQ(data["ready"]["because"], "the disk is full");
  ASSERT_EQ(data["findings"].size(), 1u);
  EXPECT_EQ(data["findings"][0]["mend"], "free room");
  EXPECT_EQ(data["findings"][0]["stops_ingest"], true);
  EXPECT_EQ(data["ingest"]["connections"], 12);
  EXPECT_EQ(data["ingest"]["records_per_second"], 1'234.568);
  EXPECT_EQ(data["disks"][0]["free_bytes"], 5'000'000'000);
  EXPECT_FALSE(data["disks"][0].contains("problem"));
  EXPECT_EQ(data["last_minute"]["seconds"], 60);
  EXPECT_EQ(data["last_minute"]["refused"][0]["reason"], "wrong_key");
  EXPECT_EQ(data["counts"]["events"], 1'234'567) << "as before";
}

TEST_F(Api, AnAgentIsShownWithItsTraffic) {
  add("web-01");
  auto agent = [&] { return get("/agents?agents_list=001").body["data"]["affected_items"][0]; };
  EXPECT_FALSE(agent().contains("lastContact"));
  EXPECT_FALSE(agent().contains("connection"));
  EXPECT_EQ(agent()["since_start"]["events"], 0);
  agent_contact contact;
  contact.last_byte_ms = 1'749'038'400'000;
  contact.connected = contact.paused = true;
  contact.address = "192.0.2.7";
  contact.connected_ms = 1'749'038'399'000;
  contact.waiting_records = 4;
  contact.connection = {5, 500, 4, 1, 2'345};
  node->contacts[1] = contact;
  EXPECT_EQ(agent()["lastContact"], "2025-06-04T12:00:00+00:00");
  EXPECT_EQ(agent()["connection"]["address"], "192.0.2.7");
  EXPECT_EQ(agent()["connection"]["since"], "2025-06-04T11:59:59+00:00");
  EXPECT_EQ(agent()["connection"]["waiting_records"], 4);
  EXPECT_EQ(agent()["connection"]["paused"], true);
  EXPECT_EQ(agent()["connection"]["paused_seconds"], 2.3);
  EXPECT_EQ(agent()["connection"]["dropped"], 1);
  node->statuses().update(1, [](agent_status& status) { status.connection.on_keepalive(1'749'038'500'000); });
  EXPECT_EQ(agent()["lastContact"], "2025-06-04T12:01:40+00:00")
      << "a keep-alive of an earlier start counts as well";
}

TEST_F(Api, WhatTheHttpLibraryRefusesHasTheSameForm) {
  expect_problem(get("/agents?search=" + std::string(9'000, 'a')), 414, "414");
  expect_problem(send("BREW", "/agents"), 400, "400");
}

TEST_F(Api, ABodyAboveTheLimitIsRefusedAndTheNextRequestIsServed) {
  start(10'000);
  auto large = R"({"name":")" + std::string(20'000, 'a') + "\"}";
  auto got = send("POST", "/agents", large);
  EXPECT_EQ(got.status, 413) << got.text;
  EXPECT_EQ(get("/agents").status, 200);
}

TEST_F(Api, ABodyThatIsNoJsonObjectIsRefused) {
  for (const std::string body : {"x", "[]", "\"text\"", "{\"name\":", "{\"name\":\"a\"}}", "null"})
    expect_problem(send("POST", "/agents", body), 400, "not a JSON object");
  expect_problem(send("POST", "/agents", std::string(100'000, '[')), 400,
                 "Maximum recursion depth exceeded.");
  expect_problem(send("POST", "/agents", R"({"name":5})"), 400, "'name' must be a text");
  expect_problem(send("POST", "/agents", R"({"name":"web-01","groups":"web"})"), 400,
                 "'groups' must be a list");
  expect_problem(send("POST", "/agents", R"({"name":"web-01","groups":[1]})"), 400,
                 "'groups' must be a list");
}

TEST_F(Api, AnAgentIsAddedWithItsKey) {
  auto got = send("POST", "/agents", R"({"name":"web-01","ip":"2001:db8::1"})");
  ASSERT_EQ(got.status, 200) << got.text;
  EXPECT_EQ(got.body["error"], 0);
  EXPECT_EQ(got.body["data"]["id"], "001");
  auto row = node->tables().read()->agent(1);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->address, "2001:0DB8:0000:0000:0000:0000:0000:0001")
      << "stored in the form that agents are found by";
  auto key = get("/agents/001/key");
  EXPECT_EQ(key.body["data"]["affected_items"][0]["key"], got.body["data"]["key"]);
  EXPECT_EQ(get("/agents").body["data"]["affected_items"][0]["status"], "never_connected");
}

TEST_F(Api, RefusalsOfTheRegistryHaveTheNumbersOfTheCatalogue) {
  add("web-01", R"(,"ip":"192.0.2.1")");
  auto refused = [&](const std::string& body) {
    auto got = send("POST", "/agents", body);
    EXPECT_EQ(got.type, "application/problem+json");
    EXPECT_FALSE(got.body.value("remediation", "").empty());
    return std::pair{got.status, got.body.value("error", 0)};
  };
  EXPECT_EQ(refused(R"({"name":"web-01"})"), std::pair(400, 1705));
  EXPECT_EQ(refused(R"({"name":"web-02","ip":"192.0.2.1"})"), std::pair(400, 1706));
  EXPECT_EQ(refused(R"({"name":"web-02","ip":"192.0.2.1234"})"), std::pair(400, 1706));
  EXPECT_EQ(refused(R"({"name":"."})"), std::pair(400, 1738));
  EXPECT_EQ(refused(R"({"name":"mgr-01"})"), std::pair(400, 1738));
  EXPECT_EQ(refused(R"({"name":"web-02","groups":["nobody"]})"), std::pair(404, 1710));
  EXPECT_THAT(ids(), ElementsAre("001"));
}

TEST_F(Api, WhatTheRegistryCannotDoNowIs503) {
  node->answer_instead = std::make_unique<registry::propose_answer>();
  for (auto how : {registry::proposed::unavailable, registry::proposed::unknown, registry::proposed::busy,
                   registry::proposed::too_late}) {
    node->answer_instead->how = how;
    auto got = send("POST", "/agents", R"({"name":"web-01"})");
    EXPECT_EQ(got.status, 503) << got.text;
    EXPECT_EQ(got.body["error"], 1726);
  }
}

TEST_F(Api, AnInsertedAgentKeepsIdAndKeyAndReplacesOnlyWhenForced) {
  const std::string key(64, 'e');
  auto insert = [&](const std::string& rest) {
    return send("POST", "/agents/insert", R"({"name":"db","id":"077","key":")" + key + "\"" + rest + "}");
  };
  auto first = insert("");
  ASSERT_EQ(first.status, 200) << first.text;
  EXPECT_EQ(first.body["data"]["id"], "077");
  EXPECT_EQ(node->tables().read()->agent(77)->key, key);
  EXPECT_EQ(insert("").body["error"], 1705);
  auto other = R"({"name":"db","force":{"enabled":true,"after_registration_time":"1h"}})";
  EXPECT_EQ(send("POST", "/agents/insert", other).body["error"], 1705) << "registered less than an hour ago";
  auto now =
      R"({"name":"db","force":{"disconnected_time":{"enabled":false},"after_registration_time":"0s"}})";
  auto replaced = send("POST", "/agents/insert", now);
  ASSERT_EQ(replaced.status, 200) << replaced.text;
  EXPECT_THAT(ids(), ElementsAre("078"));
  for (const std::string force :
       {R"(5)", R"({"enabled":"yes"})", R"({"disconnected_time":{"enabled":1}})",
        R"({"after_registration_time":"soon"})", R"({"after_registration_time":7})"})
    expect_problem(insert(",\"force\":" + force), 400, "force");
  expect_problem(send("POST", "/agents/insert", R"({"name":"db2","id":"abc"})"), 400, "no id of an agent");
}

TEST_F(Api, ListsFilterAndPage) {
  send("POST", "/groups", R"({"group_id":"web"})");
  for (int i = 1; i <= 7; ++i)
    add((i % 2 == 1 ? "web-" : "db-") + std::to_string(i), i % 2 == 1 ? R"(,"groups":["web"])" : "");
  node->statuses().update(2, [](agent_status& status) { status.connection.on_keepalive(1'749'038'400'000); });
  EXPECT_THAT(ids("?limit=3"), ElementsAre("001", "002", "003"));
  EXPECT_THAT(ids("?limit=3&offset=6"), ElementsAre("007"));
  EXPECT_EQ(get("/agents?limit=3").body["data"]["total_affected_items"], 7);
  EXPECT_THAT(ids("?status=active"), ElementsAre("002"));
  EXPECT_THAT(ids("?status=ACTIVE,pending"), ElementsAre("002"));
  EXPECT_THAT(ids("?group=web&limit=2"), ElementsAre("001", "003"));
  EXPECT_THAT(ids("?name=db-4"), ElementsAre("004"));
  EXPECT_THAT(ids("?match=%5Edb-%5B46%5D%24"), ElementsAre("004", "006"));
  EXPECT_THAT(ids("?agents_list=2,005"), ElementsAre("002", "005"));
  auto some = get("/agents?agents_list=002,999");
  EXPECT_EQ(some.body["error"], 2);
  EXPECT_EQ(some.body["data"]["failed_items"][0]["error"]["code"], 1701);
  EXPECT_THAT(some.body["data"]["failed_items"][0]["id"], ElementsAre("999"));
  EXPECT_EQ(get("/agents?agents_list=999").body["error"], 1);
}

TEST_F(Api, AnExpressionThatIsNoneOrTooCostlyIsRefused) {
  add(std::string(120, 'a') + "b");
  expect_problem(get("/agents?match=%28"), 400, "no regular expression");
  expect_problem(get("/agents?match=" + std::string(257, 'a')), 400, "longer than 256");
  // Nested repeats with a reference back: each way to part the text is tried.
  expect_problem(get("/agents?match=%5E%28%28a%2B%29%2B%28a%2B%29%2B%28a%2B%29%2B%29%2Bc%24"), 400,
                 "too complex");
  EXPECT_THAT(ids(), SizeIs(1)) << "the endpoint goes on";
}

TEST_F(Api, OnlyEligibleAgentsAreRemoved) {
  for (int i = 1; i <= 4; ++i)
    add("web-" + std::to_string(i));
  node->statuses().update(2, [](agent_status& status) { status.connection.on_keepalive(wall_clock_ms()); });
  node->statuses().update(3, [](agent_status& status) { status.connection.on_keepalive(1'749'038'400'000); });
  expect_problem(send("DELETE", "/agents"), 400, "'agents_list' is missing");
  expect_problem(send("DELETE", "/agents?agents_list=001"), 400, "'status' is missing");
  expect_problem(send("DELETE", "/agents?agents_list=001&status=all&older_than=soon"), 400, "'older_than'");
  auto young = send("DELETE", "/agents?agents_list=001,003&status=all");
  EXPECT_EQ(young.body["error"], 2) << "001 was registered just now; without a span it is seven days: "
                                    << young.text;
  EXPECT_THAT(young.body["data"]["affected_items"], ElementsAre("003"));
  EXPECT_EQ(young.body["data"]["failed_items"][0]["error"]["code"], 1731);
  auto wrong_state = send("DELETE", "/agents?agents_list=002&status=never_connected&older_than=0s");
  EXPECT_EQ(wrong_state.body["error"], 1);
  auto several = send("DELETE", "/agents?agents_list=001,001,000,9,x&status=all&older_than=0s");
  EXPECT_THAT(several.body["data"]["affected_items"], ElementsAre("001"));
  EXPECT_EQ(several.body["data"]["total_failed_items"], 3);
  EXPECT_EQ(send("DELETE", "/agents?agents_list=all&status=never_connected&older_than=0s").body["error"], 0);
  EXPECT_THAT(ids(), ElementsAre("002"));
}

TEST_F(Api, KeysOfUnknownAgentsAreFailedItems) {
  for (const std::string id : {"001", "000", "abc", "123456789", "-1"}) {
    auto got = get("/agents/" + id + "/key");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body["error"], 1) << got.text;
    EXPECT_EQ(got.body["data"]["failed_items"][0]["error"]["code"], 1701);
  }
}

TEST_F(Api, GroupsOfAnAgentChangeTogether) {
  add("web-01");
  for (const std::string name : {"web", "linux", "db"})
    EXPECT_EQ(send("POST", "/groups", R"({"group_id":")" + name + "\"}").status, 200);
  auto change = [&](const std::string& how, const std::string& groups, const std::string& id = "001") {
    return send("PUT", "/picket/agents/" + id + "/groups",
                R"({"change":")" + how + R"(","groups":)" + groups + "}");
  };
  auto groups = [&] { return node->tables().read()->agent(1)->groups; };
  EXPECT_EQ(change("set", R"(["web","linux"])").body["error"], 0);
  EXPECT_THAT(groups(), ElementsAre("web", "linux"));
  EXPECT_EQ(change("add", R"(["db"])").body["error"], 0);
  EXPECT_EQ(change("remove", R"(["web","nothing"])").body["error"], 0);
  EXPECT_THAT(groups(), ElementsAre("linux", "db"));
  EXPECT_EQ(change("add", R"(["nobody"])").body["data"]["failed_items"][0]["error"]["code"], 1710);
  EXPECT_EQ(change("set", R"(["web"])", "005").body["data"]["failed_items"][0]["error"]["code"], 1701);
  expect_problem(change("swap", "[]"), 400, "'change' must be");
  EXPECT_EQ(send("PUT", "/agents/001/group/web").body["error"], 0);
  EXPECT_THAT(groups(), ElementsAre("linux", "db", "web"));
  EXPECT_EQ(send("PUT", "/agents/001/group/db?force_single_group=true").body["error"], 0);
  EXPECT_EQ(send("DELETE", "/agents/001/group/db").body["error"], 0);
  EXPECT_THAT(groups(), IsEmpty());
}

TEST_F(Api, GroupsAreMadeListedAndRemoved) {
  auto name = [](const std::string& text) { return R"({"group_id":")" + text + "\"}"; };
  EXPECT_EQ(send("POST", "/groups", name("web")).status, 200);
  EXPECT_EQ(send("POST", "/groups", name("web")).body["error"], 1711);
  for (const std::string wrong : {"", "a b", "..", "all", "ü"})
    EXPECT_EQ(send("POST", "/groups", name(wrong)).body["error"], 1722) << wrong;
  for (int i = 0; i < 120; ++i)
    add("web-" + std::to_string(i), R"(,"groups":["web"])");
  auto listed = get("/groups");
  EXPECT_EQ(listed.body["data"]["total_affected_items"], 2);
  EXPECT_EQ(listed.body["data"]["affected_items"][1], (json{{"name", "web"}, {"count", 120}}));
  EXPECT_THAT(get("/groups/web/agents?limit=5&offset=118").body["data"]["affected_items"], SizeIs(2));
  EXPECT_EQ(get("/groups/none/agents").status, 404);
  EXPECT_EQ(get("/groups?groups_list=web,none").body["error"], 2);
  expect_problem(send("DELETE", "/groups"), 400, "'groups_list' is missing");
  auto removed = send("DELETE", "/groups?groups_list=web,default,none");
  EXPECT_EQ(removed.body["error"], 2);
  EXPECT_THAT(removed.body["data"]["affected_items"], ElementsAre("web"))
      << "also with more agents than one change takes";
  EXPECT_THAT(node->tables().read()->agent(120)->groups, IsEmpty());
  send("POST", "/groups", name("db"));
  EXPECT_EQ(send("DELETE", "/groups?groups_list=all").body["error"], 0);
  EXPECT_THAT(get("/groups").body["data"]["affected_items"], SizeIs(1));
}

TEST_F(Api, WhatIsExportedCanBeImportedAgain) {
  const std::string key(64, 'c');
  const std::string file = "001 web-01 any " + key
                           + "\n"
                             "004 db-01 10.0.0.0/8 "
                           + std::string(64, 'd')
                           + "\n"
                             "003 !old any "
                           + key + "\n";
  auto first = send("POST", "/picket/keys", file);
  ASSERT_EQ(first.body["error"], 0) << first.text;
  EXPECT_EQ(first.body["data"]["total_affected_items"], 3);
  EXPECT_THAT(ids(), ElementsAre("001", "004"));
  EXPECT_TRUE(node->tables().read()->removed(3)) << "the id of an agent that is gone stays taken";
  EXPECT_EQ(add("next"), "005") << "ids go on above the highest";
  EXPECT_EQ(send("POST", "/picket/keys", file).body["error"], 0) << "what is there already is no mistake";
  auto exported = get("/picket/keys");
  EXPECT_EQ(exported.type, "text/plain; charset=utf-8");
  EXPECT_THAT(exported.text, HasSubstr("004 db-01 10.0.0.0/8 " + std::string(64, 'd') + "\n"));
  EXPECT_THAT(exported.text, HasSubstr("003 !"));
  EXPECT_EQ(send("POST", "/picket/keys", exported.text).body["error"], 0);
}

TEST_F(Api, AnImportSaysWhichLinesAreWrongOrRefused) {
  const std::string key(64, 'c');
  add("web-01");
  auto faulty = "002 a b any " + key + "\nnonsense\n003 db-01 any " + key + "\n";
  expect_problem(send("POST", "/picket/keys", faulty), 400, "line 2: ");
  EXPECT_THAT(ids(), ElementsAre("001")) << "nothing of a faulty file is taken over";
  EXPECT_EQ(send("POST", "/picket/keys?skip_faults=true", faulty).body["error"], 0);
  EXPECT_THAT(ids(), ElementsAre("001", "003"));
  auto taken = send("POST", "/picket/keys",
                    "001 other any " + key + "\n007 web-01 any " + key + "\n008 new any " + key + "\n");
  EXPECT_EQ(taken.body["error"], 2);
  EXPECT_THAT(taken.text, HasSubstr("line 1: "));
  EXPECT_THAT(taken.text, HasSubstr("line 2: "));
  EXPECT_THAT(ids(), ElementsAre("001", "003", "008"));
  expect_problem(send("POST", "/picket/keys?skip_faults=perhaps", faulty), 400, "skip_faults");
}

TEST_F(Api, ALineOfARemovedAgentNeverRemovesOneThatIsThere) {
  add("web-01");
  auto got = send("POST", "/picket/keys", "001 !web-01 any " + std::string(64, 'c') + "\n");
  EXPECT_EQ(got.body["error"], 1) << got.text;
  EXPECT_THAT(ids(), ElementsAre("001"));
}

TEST_F(Api, TheNodesStatusSaysWhatItIs) {
  auto got = get("/picket/node/status").body["data"];
  EXPECT_EQ(got["node"], "n1");
  EXPECT_EQ(got["started"], "2025-06-04T12:00:00+00:00");
  EXPECT_EQ(got["ready"], (json{{"ingest", true}, {"control", true}}));
  EXPECT_EQ(got["counts"]["events"], 1'234'567);
  EXPECT_EQ(get("/").body["data"]["title"], "Picket API");
}

TEST(ApiHealth, AnswersApartFromTheApi) {
  auto counts = std::make_shared<metrics>();
  http_options options;
  options.where = *net::parse_endpoint("127.0.0.1:0");
  auto started =
      start_health(options, {[] { return std::string{}; }, [] { return std::string{"no leader"}; }}, counts);
  ASSERT_TRUE(started) << to_string(started.error());
  httplib::Client client{"127.0.0.1", (*started)->where().port};
  EXPECT_EQ(client.Get("/health/live")->status, 200);
  EXPECT_EQ(client.Get("/health/ready/ingest")->status, 200);
  auto control = client.Get("/health/ready/control");
  EXPECT_EQ(control->status, 503);
  EXPECT_EQ(control->body, "no leader\n");
  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("picket_api_requests_total{status=\"2xx\"} 0"));
  EXPECT_EQ(client.Get("/agents")->status, 404) << "nothing that needs a token is here";
}

TEST(ApiHealth, APortInUseIsAnErrorWithItsAddress) {
  http_options options;
  options.where = *net::parse_endpoint("127.0.0.1:0");
  auto first = start_health(options, {}, std::make_shared<metrics>());
  ASSERT_TRUE(first);
  options.where = (*first)->where();
  auto second = start_health(options, {}, std::make_shared<metrics>());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::address_in_use);
  EXPECT_EQ(second.error().where, net::to_string((*first)->where()));
}

TEST(ApiHealth, ACertificateThatCannotBeReadIsAnError) {
  http_options options;
  options.where = *net::parse_endpoint("127.0.0.1:0");
  options.certificate_file = "/nonexistent/api.crt";
  options.key_file = "/nonexistent/api.key";
  auto started = start_health(options, {}, std::make_shared<metrics>());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::certificate_invalid);
}

TEST_F(Api, TheMarkOfADrainedNodeIsSetShownAndTakenAway) {
  EXPECT_EQ(get("/picket/drain").body["data"]["draining"], false);
  for (int i = 0; i < 2; ++i) {
    auto got = send("PUT", "/picket/drain");
    EXPECT_EQ(got.status, 200) << got.text;
    EXPECT_EQ(got.body["data"], (json{{"node", "n1"}, {"draining", true}})) << "a repeat changes nothing";
    EXPECT_TRUE(node->drained);
  }
  EXPECT_EQ(get("/picket/drain").body["data"]["draining"], true);
  EXPECT_EQ(send("DELETE", "/picket/drain").body["data"]["draining"], false);
  EXPECT_FALSE(node->drained);
  expect_problem(send("POST", "/picket/drain"), 405, "405");
  expect_problem(send("PUT", "/picket/drain", {}, ""), 401, "No authorization token");
  EXPECT_FALSE(node->drained);
}

TEST(ApiToken, IsMadeOnceForTheOwnerAlone) {
  testing::scratch_directory scratch;
  auto file = (scratch.path() / "api.token").string();
  EXPECT_EQ(read_token(file).error().code, errc::io);
  auto made = load_or_make_token(file);
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->size(), 64u);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(*load_or_make_token(file), *made);
  ::chmod(file.c_str(), 0640);
  EXPECT_EQ(read_token(file).error().code, errc::permission) << "others of the group could read it";
  ::chmod(file.c_str(), 0600);
  std::ofstream{file} << "short\n";
  EXPECT_EQ(read_token(file).error().code, errc::corrupt);
}

TEST(ApiToken, OnlyTheWholeTokenInItsSchemeIsTaken) {
  EXPECT_TRUE(authorized("Bearer " + token, token));
  EXPECT_FALSE(authorized("Bearer " + token + " ", token));
  EXPECT_FALSE(authorized("Bearer " + token.substr(1), token));
  EXPECT_FALSE(authorized(token, token));
  EXPECT_FALSE(authorized("Bearer ", "")) << "no token, no access";
}

TEST(ApiRouter, PatternsTakePartsOfThePath) {
  path_parts parts;
  EXPECT_TRUE(match_path("/agents/{id}/key", "/agents/001/key", parts));
  EXPECT_THAT(parts, ElementsAre("001"));
  EXPECT_TRUE(match_path("/", "/", parts));
  for (const std::string path :
       {"", "agents", "/agents//key", "/agents/001", "/agents/001/key/x", "/agents/001/keys"})
    EXPECT_FALSE(match_path("/agents/{id}/key", path, parts)) << path;
}

TEST(ApiSpan, HasUnitsAndLimits) {
  EXPECT_EQ(parse_span("x", "7d"), 604'800);
  EXPECT_EQ(parse_span("x", "2h"), 7'200);
  EXPECT_EQ(parse_span("x", "3m"), 180);
  EXPECT_EQ(parse_span("x", "0s"), 0);
  EXPECT_EQ(parse_span("x", "45"), 45);
  for (const std::string text : {"", "d", "-1d", "1w", "1d ", "1.5h", "99999999999999999999", "99999999999d"})
    EXPECT_FALSE(parse_span("x", text)) << text;
}

} // namespace
} // namespace picket::api
