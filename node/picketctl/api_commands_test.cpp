#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actors/api/api.hpp"
#include "actors/api/token.hpp"
#include "actors/testing/fake_node.hpp"
#include "base/faults/faults.hpp"
#include "base/testing/scratch_directory.hpp"
#include "net/tls.hpp"
#include "node/picketctl/api_call.hpp"
#include "node/picketctl/testing.hpp"

namespace picket::ctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// picketctl against the real endpoint with TLS, as a configuration file describes it.
class ApiCommands : public ::testing::Test {
protected:
  void SetUp() override {
    std::filesystem::create_directories(data / "tls");
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    node = std::make_shared<picket::testing::fake_node>(std::move(*opened));
    auto token = api::load_or_make_token((data / "api.token").string());
    ASSERT_TRUE(token) << to_string(token.error());
    ASSERT_TRUE(net::ensure_self_signed(certificate(), key(), "n1", 30));
    start("127.0.0.1", *token);
  }

  std::string certificate() const { return (data / "tls" / "api.crt").string(); }
  std::string key() const { return (data / "tls" / "api.key").string(); }

  void start(const std::string& address, const std::string& token) {
    api::api_options options;
    options.http.where = *net::parse_endpoint(address + ":0");
    options.http.certificate_file = certificate();
    options.http.key_file = key();
    options.token = token;
    server.reset();
    auto started = api::start_api(std::move(options), node, std::make_shared<metrics>());
    ASSERT_TRUE(started) << to_string(started.error());
    server = std::move(*started);
    where = address + ":" + std::to_string(server->where().port);
    file = scratch.write("picket.yml", "api:\n  listen: \"" + where + "\"\n").string();
  }

  testing::outcome run_ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--config", file});
    return testing::run_ctl(arguments);
  }

  picket::testing::scratch_directory scratch;
  std::filesystem::path data = scratch.path() / "data";
  std::shared_ptr<picket::testing::fake_node> node;
  std::unique_ptr<api::http_server> server;
  std::string where;
  std::string file;
};

TEST_F(ApiCommands, AnAgentIsAddedShownAndRemoved) {
  auto added = run_ctl({"agent", "add", "web-01", "--ip", "192.0.2.7"});
  EXPECT_EQ(added.code, exit_code::ok) << added.err;
  EXPECT_THAT(added.out, StartsWith("agent 001 'web-01' is registered\nkey for its import: "));
  auto key_line = run_ctl({"agent", "key", "1"});
  EXPECT_EQ(key_line.code, exit_code::ok);
  EXPECT_THAT(added.out, HasSubstr(key_line.out));
  EXPECT_THAT(run_ctl({"agent", "list"}).out, HasSubstr("001  web-01  192.0.2.7  never_connected"));
  EXPECT_THAT(run_ctl({"agent", "show", "001"}).out, HasSubstr("registered address  192.0.2.7\n"));
  auto again = run_ctl({"agent", "add", "web-01"});
  EXPECT_EQ(again.code, exit_code::refused);
  EXPECT_THAT(again.err,
              AllOf(StartsWith("picketctl: "), HasSubstr("web-01"), HasSubstr("Remove that agent")));
  auto some = run_ctl({"agent", "remove", "1", "9"});
  EXPECT_EQ(some.code, exit_code::partial);
  EXPECT_EQ(some.out, "removed: 001\n");
  EXPECT_THAT(some.err, HasSubstr("picketctl: 009: Agent does not exist"));
  EXPECT_EQ(run_ctl({"agent", "remove", "9"}).code, exit_code::no);
  auto missing = run_ctl({"agent", "show", "1"});
  EXPECT_EQ(missing.code, exit_code::no);
  EXPECT_THAT(missing.err, HasSubstr("001: Agent does not exist"));
  EXPECT_EQ(run_ctl({"agent", "key", "1"}).code, exit_code::no);
}

TEST_F(ApiCommands, AListPagesThroughAllAgents) {
  constexpr int many = 2'300; // three pages
  std::string keys;
  for (int i = 1; i <= many; ++i)
    keys += picket::to_text(static_cast<agent_id>(i)) + " web-" + std::to_string(i) + " any "
            + std::string(64, 'c') + "\n";
  auto tables = store::registry_tables::open(scratch.path() / "many");
  ASSERT_TRUE(tables);
  node = std::make_shared<picket::testing::fake_node>(std::move(*tables));
  start("127.0.0.1", *api::read_token((data / "api.token").string()));
  auto imported = run_ctl({"agent", "import", scratch.write("client.keys", keys).string()});
  EXPECT_EQ(imported.code, exit_code::ok) << imported.err;
  EXPECT_EQ(imported.out, "imported: 2300, refused: 0\n");
  auto all = run_ctl({"agent", "list"});
  EXPECT_EQ(all.code, exit_code::ok);
  EXPECT_EQ(std::count(all.out.begin(), all.out.end(), '\n'), many + 3);
  EXPECT_THAT(all.out, HasSubstr("2300  web-2300"));
  EXPECT_EQ(json::parse(run_ctl({"agent", "list", "--json"}).out)["affected_items"].size(), many);
  EXPECT_THAT(run_ctl({"agent", "list", "--match", "^web-1?7$"}).out, HasSubstr("\n2 agents\n"));
  std::vector<std::string> remove{"agent", "remove"};
  for (int i = 1; i <= 700; ++i)
    remove.push_back(std::to_string(i));
  EXPECT_EQ(run_ctl(remove).code, exit_code::ok) << "more ids than one request names";
  EXPECT_THAT(run_ctl({"agent", "list"}).out, HasSubstr("\n1600 agents\n"));
}

TEST_F(ApiCommands, AListIsFiltered) {
  run_ctl({"group", "add", "web"});
  run_ctl({"agent", "add", "web-01", "--group", "web"});
  run_ctl({"agent", "add", "db-01"});
  node->statuses().update(2, [](agent_status& status) { status.connection.on_keepalive(1'749'038'400'000); });
  auto names = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"agent", "list", "--json"});
    std::string all;
    const auto answer = json::parse(run_ctl(options).out);
    for (const auto& agent : answer["affected_items"])
      all += agent["name"].get<std::string>() + " ";
    return all;
  };
  EXPECT_EQ(names({}), "web-01 db-01 ");
  EXPECT_EQ(names({"--group", "web"}), "web-01 ");
  EXPECT_EQ(names({"--status", "active"}), "db-01 ");
  EXPECT_EQ(names({"--match", "^db"}), "db-01 ");
  EXPECT_EQ(names({"--match", "nothing"}), "");
  auto refused = run_ctl({"agent", "list", "--match", "("});
  EXPECT_EQ(refused.code, exit_code::refused);
  EXPECT_THAT(refused.err, HasSubstr("'match' is no regular expression"));
}

TEST_F(ApiCommands, GroupsOfAnAgentAreSetAddedAndRemoved) {
  for (const char* name : {"web", "linux", "db"})
    EXPECT_EQ(run_ctl({"group", "add", name}).code, exit_code::ok);
  run_ctl({"agent", "add", "web-01"});
  EXPECT_EQ(run_ctl({"agent", "groups", "1"}).out, "");
  EXPECT_EQ(run_ctl({"agent", "groups", "1", "--set", "web,linux"}).out, "web\nlinux\n");
  EXPECT_EQ(run_ctl({"agent", "groups", "1", "--add", "db", "--remove", "web"}).out, "linux\ndb\n");
  EXPECT_EQ(json::parse(run_ctl({"agent", "groups", "1", "--json"}).out),
            (json{{"id", "001"}, {"groups", {"linux", "db"}}}));
  auto unknown = run_ctl({"agent", "groups", "1", "--add", "nobody"});
  EXPECT_EQ(unknown.code, exit_code::no);
  EXPECT_THAT(unknown.err, HasSubstr("nobody"));
  EXPECT_EQ(run_ctl({"agent", "groups", "7"}).code, exit_code::no);
  EXPECT_EQ(run_ctl({"group", "list"}).out,
            "GROUP    AGENTS\ndb       1\ndefault  0\nlinux    1\nweb      0\n");
  auto removed = run_ctl({"group", "remove", "web", "default"});
  EXPECT_EQ(removed.code, exit_code::partial);
  EXPECT_EQ(removed.out, "removed: web\n");
  EXPECT_EQ(run_ctl({"group", "add", "a b"}).code, exit_code::refused);
}

TEST_F(ApiCommands, KeysAreExportedForTheOwnerAlone) {
  run_ctl({"agent", "add", "web-01"});
  auto target = (scratch.path() / "client.keys").string();
  auto done = run_ctl({"agent", "export", target});
  EXPECT_EQ(done.code, exit_code::ok) << done.err;
  EXPECT_EQ(done.out, "wrote 1 lines to " + target + "\n");
  struct stat info {};
  ASSERT_EQ(::stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(run_ctl({"agent", "export"}).out, scratch.read("client.keys"));
  EXPECT_EQ(run_ctl({"agent", "import", target}).code, exit_code::ok) << "again";
  auto faulty = scratch.write("faulty.keys", "nonsense\n").string();
  auto refused = run_ctl({"agent", "import", faulty});
  EXPECT_EQ(refused.code, exit_code::refused);
  EXPECT_THAT(refused.err, HasSubstr("line 1: "));
  EXPECT_EQ(run_ctl({"agent", "import", faulty, "--skip-faults"}).code, exit_code::ok);
  EXPECT_EQ(run_ctl({"agent", "import", "/nonexistent"}).code, exit_code::no);
}

TEST_F(ApiCommands, TheNodesStatusIsAlsoItsExitCode) {
  auto fine = run_ctl({"node", "status"});
  EXPECT_EQ(fine.code, exit_code::ok);
  EXPECT_THAT(fine.out, StartsWith("All is well: the node takes events and changes.\n"));
  EXPECT_THAT(fine.out, HasSubstr("in the last 60 s: 17 records (wrong_key)\n"));
  EXPECT_THAT(fine.out, HasSubstr("1,235 records/s"));
  node->ready = false;
  auto full = run_ctl({"node", "status"});
  EXPECT_EQ(full.code, exit_code::no);
  EXPECT_THAT(full.out,
              StartsWith("NOT READY: send this node no agents.\n  ! the disk is full\n    -> free room\n"));
  EXPECT_EQ(json::parse(run_ctl({"node", "status", "--json"}).out)["ready"]["ingest"], false);
}

/// An intake that has room, or not.
struct fake_return final : record_return {
  bool take_again(agent_id, record_kind, std::string_view bytes) override {
    if (full) return false;
    taken.emplace_back(bytes);
    return true;
  }
  std::vector<std::string> taken;
  bool full = false;
};

class LetterCommands : public ApiCommands {
protected:
  void SetUp() override {
    ApiCommands::SetUp();
    auto letters = store::deadletter_store::open(scratch.path() / "letters", 100).value();
    store = std::move(letters);
    for (std::uint32_t record = 1; record <= 3; ++record) {
      store::dead_letter letter;
      letter.head.id = store::letter_id({1, 2, 77}, record);
      letter.head.agent = 7;
      letter.head.agent_name = "web-01";
      letter.head.arrival_ms = 1'749'038'400'000;
      letter.head.reason = "signal 6";
      letter.head.examined = true;
      letter.location = "/var/log/x";
      letter.text = "poison \x1b[2J " + std::to_string(record);
      letter.bytes = "1:/var/log/x:" + letter.text;
      ASSERT_TRUE(store->keep(letter));
    }
    store->seen("poison \x1b[2J 2");
    node->office =
        std::make_shared<letter_office>(store, intake, std::make_shared<metrics>(), event_log::silent());
  }

  std::shared_ptr<store::deadletter_store> store;
  std::shared_ptr<fake_return> intake = std::make_shared<fake_return>();
};

TEST_F(LetterCommands, AreListedAndShown) {
  auto list = run_ctl({"deadletter", "list"});
  EXPECT_EQ(list.code, exit_code::ok) << list.err;
  EXPECT_THAT(list.out, HasSubstr("2-77-1  007    web-01  2025-06-04T12:00:00Z  signal 6  0\n"));
  EXPECT_THAT(list.out, HasSubstr("2-77-2  007    web-01  2025-06-04T12:00:00Z  signal 6  1\n"));
  EXPECT_EQ(json::parse(run_ctl({"deadletter", "list", "--json"}).out)["affected_items"].size(), 3u);
  auto one = run_ctl({"deadletter", "show", "2-77-3"});
  EXPECT_EQ(one.code, exit_code::ok) << one.err;
  EXPECT_THAT(one.out, HasSubstr("/var/log/x\n"));
  EXPECT_THAT(one.out, HasSubstr("poison \\x1b[2J 3\n")) << "it cannot move the cursor";
  EXPECT_THAT(one.out, HasSubstr(picket::to_hex(as_bytes("1:/var/log/x:poison"))));
  auto missing = run_ctl({"deadletter", "show", "2-77-9"});
  EXPECT_EQ(missing.code, exit_code::no);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("2-77-9"), HasSubstr("picketctl deadletter list")));
  EXPECT_EQ(run_ctl({"deadletter", "show", "..%2Fapi.token"}).code, exit_code::no);
}

TEST_F(LetterCommands, AreSentOnWhenThereIsRoom) {
  intake->full = true;
  auto full = run_ctl({"deadletter", "retry", "2-77-1"});
  EXPECT_EQ(full.code, exit_code::no);
  EXPECT_THAT(full.err, HasSubstr("no room"));
  EXPECT_EQ(store->size(), 3u);
  intake->full = false;
  auto one = run_ctl({"deadletter", "retry", "2-77-1", "1-1-1"});
  EXPECT_EQ(one.code, exit_code::partial);
  EXPECT_EQ(one.out, "sent on: 2-77-1\n");
  EXPECT_THAT(intake->taken, ElementsAre("1:/var/log/x:poison \x1b[2J 1"));
  EXPECT_EQ(run_ctl({"deadletter", "retry", "--all"}).out, "sent on: 2\n");
  EXPECT_EQ(store->size(), 0u);
  EXPECT_EQ(intake->taken.size(), 3u);
}

TEST_F(LetterCommands, AreDropped) {
  EXPECT_EQ(run_ctl({"deadletter", "drop", "2-77-1", "2-77-2"}).out, "dropped: 2-77-1, 2-77-2\n");
  EXPECT_EQ(json::parse(run_ctl({"deadletter", "drop", "--all", "--json"}).out)["dropped"].size(), 1u);
  EXPECT_EQ(run_ctl({"deadletter", "drop", "2-77-1"}).code, exit_code::no);
  EXPECT_EQ(run_ctl({"deadletter", "drop"}).code, exit_code::usage);
  EXPECT_EQ(run_ctl({"deadletter", "drop", "2-77-1", "--all"}).code, exit_code::usage);
  EXPECT_EQ(run_ctl({"deadletter", "list"}).out, "ID  AGENT  NAME  ARRIVED  REASON  SEEN AGAIN\n");
  EXPECT_TRUE(intake->taken.empty());
}

TEST_F(ApiCommands, TheNodesStatusIsWatchedUntilSomebodyEndsIt) {
  std::vector<int> waits;
  auto got = testing::run_ctl({"--config", file, "node", "status", "--watch", "--every", "7"}, {}, {}, false,
                              [&](int seconds) {
                                waits.push_back(seconds);
                                if (waits.size() == 1) node->ready = false;
                                if (waits.size() == 2) server.reset();
                                return waits.size() < 3;
                              });
  EXPECT_THAT(waits, ElementsAre(7, 7, 7));
  EXPECT_EQ(got.code, exit_code::unreachable) << "as the last screen";
  EXPECT_THAT(got.out, StartsWith("All is well"));
  EXPECT_THAT(got.out, HasSubstr("\nNOT READY"));
  EXPECT_THAT(got.err, StartsWith("picketctl: ")) << "and it goes on trying";
}

TEST_F(ApiCommands, AnAgentIsShownWithItsConnectionAndFigures) {
  run_ctl({"agent", "add", "web-01"});
  agent_contact contact;
  contact.last_byte_ms = 1'749'038'461'000;
  contact.connected = true;
  contact.address = "192.0.2.7";
  contact.connected_ms = 1'749'038'400'000;
  contact.connection = {12, 3'072, 10, 2, 1'500};
  contact.total = {100, 10'240, 90, 5, 61'000};
  node->contacts[1] = contact;
  auto shown = run_ctl({"agent", "show", "1"}).out;
  EXPECT_THAT(shown, HasSubstr("last contact        2025-06-04T12:01:01Z\n"));
  EXPECT_THAT(shown, HasSubstr("connection          192.0.2.7 since 2025-06-04T12:00:00Z\n"));
  EXPECT_THAT(shown, HasSubstr("it brought          10 events, 2 dropped, 3.0 KiB, not read for 1.5 s\n"));
  EXPECT_THAT(shown, HasSubstr("since start         90 events, 5 dropped, 10 KiB, not read for 61 s\n"));
  EXPECT_THAT(run_ctl({"agent", "list"}).out, HasSubstr("2025-06-04T12:01:01Z  90      5        61 s\n"));
  auto answer = json::parse(run_ctl({"agent", "show", "1", "--json"}).out);
  EXPECT_EQ(answer["connection"]["records"], 12);
  EXPECT_EQ(answer["since_start"]["bytes"], 10'240);
}

TEST_F(ApiCommands, ANodeIsDrainedAndUndrained) {
  auto on = run_ctl({"node", "drain"});
  EXPECT_EQ(on.code, exit_code::ok) << on.err;
  EXPECT_THAT(on.out, StartsWith("node n1 is draining: "));
  EXPECT_TRUE(node->drained);
  auto off = run_ctl({"node", "undrain"});
  EXPECT_EQ(off.out, "node n1 is not draining\n");
  EXPECT_FALSE(node->drained);
  auto shown = json::parse(run_ctl({"node", "drain", "--json"}).out);
  EXPECT_EQ(shown["draining"], true);
}

TEST_F(ApiCommands, FaultsAreSetWhereTheNodeHasThem) {
  auto got = run_ctl({"node", "fault", "sink-slow-ms", "20"});
  if (!faults::built_in) {
    EXPECT_EQ(got.code, exit_code::refused);
    EXPECT_THAT(got.err, HasSubstr("no build for tests"));
    EXPECT_EQ(run_ctl({"node", "fault"}).code, exit_code::refused);
    return;
  }
  EXPECT_EQ(got.code, exit_code::ok) << got.err;
  EXPECT_THAT(got.out, HasSubstr("sink-slow-ms       20\n"));
  EXPECT_THAT(run_ctl({"node", "fault", "disk-full"}).out, HasSubstr("disk-full          1\n"));
  EXPECT_THAT(run_ctl({"node", "fault"}).out, HasSubstr("sink-slow-ms       20\n"));
  EXPECT_THAT(run_ctl({"node", "fault", "disk-full", "off"}).out, HasSubstr("disk-full          -\n"));
  auto unknown = run_ctl({"node", "fault", "disk-fool"});
  EXPECT_EQ(unknown.code, exit_code::refused);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("disk-fool"), HasSubstr("disk-full")));
  EXPECT_EQ(run_ctl({"node", "fault", "sink-slow-ms", "soon"}).code, exit_code::refused);
  run_ctl({"node", "fault", "sink-slow-ms", "off"});
}

TEST_F(ApiCommands, AWrongTokenIsRefused) {
  auto other = scratch.write("other.token", std::string(64, 'x') + "\n").string();
  ::chmod(other.c_str(), 0600);
  auto got = run_ctl({"agent", "list", "--token-file", other});
  EXPECT_EQ(got.code, exit_code::refused);
  EXPECT_THAT(got.err, AllOf(HasSubstr("No authorization token"), HasSubstr("--token-file")));
  ::chmod(other.c_str(), 0644);
  got = run_ctl({"agent", "list", "--token-file", other});
  EXPECT_EQ(got.code, exit_code::refused);
  EXPECT_THAT(got.err, HasSubstr("chmod 600 "));
  got = run_ctl({"agent", "list", "--token-file", "/nonexistent"});
  EXPECT_EQ(got.code, exit_code::refused);
}

TEST_F(ApiCommands, OnlyTheNodesOwnCertificateIsTrusted) {
  auto stranger = (scratch.path() / "stranger.crt").string();
  ASSERT_TRUE(net::ensure_self_signed(stranger, (scratch.path() / "stranger.key").string(), "n1", 30));
  auto got = run_ctl({"agent", "list", "--ca", stranger});
  EXPECT_EQ(got.code, exit_code::unreachable);
  EXPECT_THAT(got.err, HasSubstr("the certificate of the node is not the one to trust"));
  EXPECT_EQ(run_ctl({"agent", "list", "--ca", certificate()}).code, exit_code::ok);
  EXPECT_EQ(run_ctl({"agent", "list", "--ca", stranger, "--insecure"}).code, exit_code::ok) << "as asked";
  EXPECT_EQ(run_ctl({"agent", "list", "--ca", "/nonexistent"}).code, exit_code::no);
  // The file of the configuration is another than the node has: somebody sits in between, or it was changed.
  std::filesystem::copy_file(stranger, certificate(), std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(run_ctl({"agent", "list"}).code, exit_code::unreachable);
}

TEST_F(ApiCommands, ThePinnedCertificateCountsAtEveryAddressOfTheNode) {
  start("127.0.0.3", *api::read_token((data / "api.token").string()));
  EXPECT_EQ(run_ctl({"agent", "list"}).code, exit_code::ok) << "the certificate names only 127.0.0.1";
  auto named = run_ctl({"agent", "list", "--ca", certificate()});
  EXPECT_EQ(named.code, exit_code::unreachable) << "a CA vouches for names";
}

TEST_F(ApiCommands, OptionsAloneAreEnough) {
  auto got =
      testing::run_ctl({"agent", "list", "--url", "https://" + where, "--token-file",
                        (data / "api.token").string(), "--ca", certificate(), "--config", "/nonexistent"});
  EXPECT_EQ(got.code, exit_code::ok) << got.err;
}

TEST_F(ApiCommands, ANodeThatIsNotThereIsThree) {
  server.reset();
  auto got = run_ctl({"node", "status"});
  EXPECT_EQ(got.code, exit_code::unreachable);
  EXPECT_THAT(got.err, AllOf(StartsWith("picketctl: https://" + where + ": nobody answers there"),
                             HasSubstr("--config")));
}

TEST_F(ApiCommands, AConfigurationWithMistakesIsUsage) {
  file = scratch.write("broken.yml", "api: 5\n").string();
  auto got = run_ctl({"node", "status"});
  EXPECT_EQ(got.code, exit_code::usage);
  EXPECT_THAT(got.err, HasSubstr("api is a section"));
}

TEST_F(ApiCommands, AnEndpointWithoutTlsIsNotTalkedTo) {
  api::api_options plain;
  plain.http.where = *net::parse_endpoint("127.0.0.1:0");
  plain.token = std::string(64, 't');
  auto started = api::start_api(std::move(plain), node, std::make_shared<metrics>());
  ASSERT_TRUE(started);
  auto got = run_ctl(
      {"node", "status", "--url", "https://" + net::to_string((*started)->where()), "--timeout", "2"});
  EXPECT_EQ(got.code, exit_code::unreachable) << got.out;
  EXPECT_THAT(got.err, Not(HasSubstr("ready")));
}

} // namespace
} // namespace picket::ctl
