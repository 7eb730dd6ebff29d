#include "actors/peer/peer_links.hpp"

#include <condition_variable>
#include <csignal>
#include <mutex>

#include <gtest/gtest.h>

#include "actors/peer/pair_rule.hpp"
#include "actors/peer/testing/raw_peer.hpp"
#include "base/time.hpp"
#include "net/testing/cluster_certificates.hpp"

namespace picket::peer {
namespace {

using namespace protocol::peer;
using net::testing::cluster_certificates;
using testing::raw_peer;
using put = peer_links::put;

constexpr auto patience = std::chrono::seconds(20);

/// Who is a member, for all nodes of a test.
class member_table {
public:
  void set(std::uint32_t node, const std::vector<std::string>& fingerprints, bool removed = false) {
    std::lock_guard lock{mutex_};
    members_[node] = {node, fingerprints, removed};
  }
  std::optional<net::member_identity> find(std::uint32_t node) {
    std::lock_guard lock{mutex_};
    auto found = members_.find(node);
    return found == members_.end() ? std::nullopt : std::optional{found->second};
  }

private:
  std::mutex mutex_;
  std::map<std::uint32_t, net::member_identity> members_;
};

/// One node's links on a thread of their own, and what they told.
class test_node {
public:
  test_node(link_options options, member_table& members) {
    thread_ = std::move(*net::io_thread::create("peer-" + std::to_string(options.own.node)));
    thread_->start();
    link_events events;
    events.up = [this](std::uint32_t node, const hello& theirs) {
      note([&] {
        ++ups_[node];
        boots_[node] = theirs.boot;
      });
    };
    events.down = [this](std::uint32_t node, close_cause said, const std::string&) {
      note([&] {
        ++downs_[node];
        said_[node] = said;
      });
    };
    events.message = [this](std::uint32_t node, message&& what) {
      note([&] { got_[node].push_back(std::move(what)); });
    };
    events.room = [this](std::uint32_t node) { note([&] { ++rooms_[node]; }); };
    events.refused = [this](std::uint32_t, const std::string& why) {
      note([&] { refusals_.push_back(why); });
    };
    auto opened = peer_links::open(
        *thread_, std::move(options), [&members](std::uint32_t node) { return members.find(node); },
        std::move(events));
    EXPECT_TRUE(opened) << to_string(opened.error());
    links_ = std::move(*opened);
  }
  ~test_node() {
    stop();
    thread_->stop();
  }

  void start() {
    thread_->run([this] { EXPECT_TRUE(links_->start()); });
  }
  void stop() {
    if (std::exchange(stopped_, true)) return;
    thread_->run([this] { links_->stop(); });
  }
  template <class F>
  void on_thread(F what) {
    ASSERT_TRUE(thread_->run([&] { what(*links_); }));
  }
  void dial(std::map<std::uint32_t, net::endpoint> peers) {
    on_thread([&](peer_links& links) { links.set_peers(peers); });
  }
  const net::endpoint& where() const { return links_->where(); }

  bool wait(const std::function<bool()>& condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, condition);
  }
  bool wait_up(std::uint32_t node, int times = 1) {
    return wait([&] { return ups_[node] >= times && ups_[node] > downs_[node]; });
  }
  bool wait_down(std::uint32_t node, int times = 1) {
    return wait([&] { return downs_[node] >= times; });
  }
  bool wait_got(std::uint32_t node, const message& what) {
    return wait([&] { return std::find(got_[node].begin(), got_[node].end(), what) != got_[node].end(); });
  }
  bool wait_refusal(const std::string& part) {
    auto holds = wait([&] {
      return std::any_of(refusals_.begin(), refusals_.end(),
                         [&](const auto& one) { return one.find(part) != std::string::npos; });
    });
    if (!holds)
      for (const auto& one : refusals_)
        ADD_FAILURE() << "refused: " << one;
    return holds;
  }
  template <class F>
  auto look(F what) {
    std::lock_guard lock{mutex_};
    return what(*this);
  }
  link_figures figures(std::uint32_t node) {
    link_figures one;
    on_thread([&](peer_links& links) { one = links.figures()[node]; });
    return one;
  }
  link_failures failures() {
    link_failures all;
    on_thread([&](peer_links& links) { all = links.failures(); });
    return all;
  }
  put send(put (peer_links::*how)(std::uint32_t, const message&), std::uint32_t node, const message& what) {
    put outcome = put::not_connected;
    on_thread([&](peer_links& links) { outcome = (links.*how)(node, what); });
    return outcome;
  }

  std::map<std::uint32_t, int> ups_;
  std::map<std::uint32_t, int> downs_;
  std::map<std::uint32_t, int> rooms_;
  std::map<std::uint32_t, close_cause> said_;
  std::map<std::uint32_t, std::uint32_t> boots_;
  std::map<std::uint32_t, std::vector<message>> got_;
  std::vector<std::string> refusals_;

private:
  template <class F>
  void note(F what) {
    std::lock_guard lock{mutex_};
    what();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<net::io_thread> thread_;
  std::unique_ptr<peer_links> links_;
  bool stopped_ = false;
};

class PeerLinks : public ::testing::Test {
protected:
  // As picketd does: OpenSSL writes to sockets that the other side may have closed.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  link_options options(std::uint32_t node, std::uint32_t boot = 1) {
    if (files.count(node) == 0) {
      auto issued = cluster.issue(node);
      files[node] = issued.files;
      members.set(node, {issued.fingerprint});
    }
    link_options made;
    made.own = {cluster.cluster(), node, "node-" + std::to_string(node), "0.1", 1, 1, boot, {}};
    made.listen = *net::parse_endpoint("127.0.0.1:0");
    made.tls = files[node];
    made.ca = cluster.ca().certificate;
    made.seed = node;
    return made;
  }
  std::unique_ptr<test_node> make(link_options opts) {
    auto node = std::make_unique<test_node>(std::move(opts), members);
    node->start();
    return node;
  }
  std::unique_ptr<test_node> make(std::uint32_t node) { return make(options(node)); }
  hello greeting(std::uint32_t node, std::uint32_t boot = 1) { return options(node, boot).own; }
  static message command(std::uint64_t id) { return forwarded_command{id, 300, "c"}; }
  static message bulk(std::uint64_t id, std::size_t size) {
    return request{id, 1, 300, std::string(size, 'b')};
  }
  static message beat(std::uint64_t number) {
    heartbeat one;
    one.sequence = number;
    return one;
  }

  cluster_certificates cluster;
  member_table members;
  std::map<std::uint32_t, net::node_tls_files> files;
};

TEST_F(PeerLinks, CarriesEveryLaneBothWays) {
  auto one = make(1);
  auto two = make(2);
  one->dial({{1, one->where()}, {2, two->where()}});
  ASSERT_TRUE(one->wait_up(2));
  ASSERT_TRUE(two->wait_up(1));
  EXPECT_EQ(one->send(&peer_links::send_heartbeat, 2, beat(5)), put::taken);
  EXPECT_EQ(one->send(&peer_links::send_control, 2, command(6)), put::taken);
  EXPECT_EQ(one->send(&peer_links::send_bulk, 2, bulk(7, 5'000'000)), put::taken);
  EXPECT_EQ(two->send(&peer_links::send_bulk, 1, bulk(8, 3'000'000)), put::taken);
  EXPECT_EQ(two->send(&peer_links::send_control, 1, command(9)), put::taken);
  EXPECT_TRUE(two->wait_got(1, beat(5)));
  EXPECT_TRUE(two->wait_got(1, command(6)));
  EXPECT_TRUE(two->wait_got(1, bulk(7, 5'000'000)));
  EXPECT_TRUE(one->wait_got(2, bulk(8, 3'000'000)));
  EXPECT_TRUE(one->wait_got(2, command(9)));
  auto sent = one->figures(2);
  auto got = two->figures(1);
  EXPECT_TRUE(sent.up);
  EXPECT_EQ(sent.connected, 1u);
  for (auto which : {lane::heartbeat, lane::control, lane::bulk}) {
    auto at = static_cast<std::size_t>(which);
    EXPECT_EQ(sent.sent[at].sent_frames, got.got[at].frames) << name_of(which);
    EXPECT_EQ(sent.sent[at].sent_bytes, got.got[at].bytes) << name_of(which);
    EXPECT_EQ(sent.sent[at].queued_bytes, 0u);
  }
  EXPECT_EQ(sent.sent[2].sent_frames, (5'000'000 + 40 + max_part_bytes - 1) / max_part_bytes);
  EXPECT_EQ(one->send(&peer_links::send_control, 3, command(1)), put::not_connected);
}

TEST_F(PeerLinks, WhenBothDialAtOnceOneConnectionIsKept) {
  for (int round = 0; round < 15; ++round) {
    test_node one{options(1), members};
    test_node two{options(2), members};
    one.dial({{2, two.where()}});
    two.dial({{1, one.where()}});
    one.start();
    two.start();
    ASSERT_TRUE(one.wait_up(2)) << "round " << round;
    ASSERT_TRUE(two.wait_up(1)) << "round " << round;
    for (std::uint64_t i = 0; i < 5; ++i) {
      EXPECT_EQ(one.send(&peer_links::send_control, 2, command(i)), put::taken);
      EXPECT_EQ(two.send(&peer_links::send_control, 1, command(i)), put::taken);
      EXPECT_TRUE(two.wait_got(1, command(i)));
      EXPECT_TRUE(one.wait_got(2, command(i)));
    }
    for (auto* node : {&one, &two}) {
      EXPECT_EQ(node->look([&](test_node& n) { return n.downs_[node == &one ? 2 : 1]; }), 0)
          << "round " << round;
      EXPECT_EQ(node->failures().lost, 0u);
      EXPECT_EQ(node->figures(node == &one ? 2 : 1).connected, 1u) << "round " << round;
    }
  }
}

TEST_F(PeerLinks, ThreeNodesMeetInAnyOrder) {
  std::map<std::uint32_t, std::unique_ptr<test_node>> nodes;
  std::map<std::uint32_t, net::endpoint> all;
  for (std::uint32_t id : {1U, 2U, 3U}) {
    nodes[id] = std::make_unique<test_node>(options(id), members);
    all[id] = nodes[id]->where();
  }
  for (std::uint32_t id : {3U, 1U, 2U}) {
    nodes[id]->dial(all);
    nodes[id]->start();
  }
  for (auto& [id, node] : nodes)
    for (auto& [other, where] : all)
      EXPECT_TRUE(other == id || node->wait_up(other)) << id << " to " << other;
  std::vector<std::uint32_t> up;
  nodes[2]->on_thread([&](peer_links& links) { up = links.up(); });
  EXPECT_EQ(up, (std::vector<std::uint32_t>{1, 3}));
}

TEST_F(PeerLinks, AnotherNodeAtTheAddressIsRefused) {
  auto one = make(1);
  options(2);
  auto three = make(3);
  one->dial({{2, three->where()}});
  EXPECT_TRUE(one->wait_refusal("wrong_node: this address is that of node 3"));
  EXPECT_EQ(one->look([](test_node& n) { return n.ups_[2] + n.ups_[3]; }), 0);
  EXPECT_GE(one->failures().hello, 1u);
}

TEST_F(PeerLinks, WhoIsNoMemberIsRefused) {
  auto one = make(1);
  auto stranger = cluster.issue(9); // our CA has signed it, but no table has it
  raw_peer other{one->where(), &stranger.files};
  EXPECT_EQ(other.closed_with(), close_cause::not_member);
  options(2);
  auto second_key = cluster.issue(2); // a member, with a certificate that the table does not have
  raw_peer again{one->where(), &second_key.files};
  EXPECT_EQ(again.closed_with(), close_cause::other);
  cluster_certificates foreign;
  auto theirs = foreign.issue(2);
  theirs.files.ca_file = cluster.ca_file();
  raw_peer third{one->where(), &theirs.files};
  EXPECT_FALSE(third.receive());
  auto own = cluster.issue(1);
  members.set(1, {own.fingerprint});
  raw_peer self{one->where(), &own.files};
  EXPECT_EQ(self.closed_with(), close_cause::not_member) << "a node does not link to itself";
  EXPECT_TRUE(one->wait([&] { return one->refusals_.size() >= 4; }));
  auto failures = one->failures();
  EXPECT_EQ(failures.untrusted, 3u);
  EXPECT_EQ(failures.handshake, 1u);
}

TEST_F(PeerLinks, ARemovedMemberIsCutAndStaysOut) {
  auto one = make(1);
  auto two = make(2);
  two->dial({{1, one->where()}});
  ASSERT_TRUE(one->wait_up(2));
  one->on_thread([](peer_links& links) { links.check_members(); });
  EXPECT_TRUE(one->look([](test_node& n) { return n.downs_[2] == 0; }))
      << "as long as it is a member it stays";
  members.set(2, {}, true);
  one->on_thread([](peer_links& links) { links.check_members(); });
  EXPECT_TRUE(one->wait_down(2));
  EXPECT_TRUE(two->wait_down(1));
  EXPECT_EQ(two->look([](test_node& n) { return n.said_[1]; }), close_cause::not_member);
  EXPECT_TRUE(two->wait_refusal("not_member")) << "and its next dial finds it out";
  EXPECT_EQ(one->look([](test_node& n) { return n.ups_[2]; }), 1);
}

TEST_F(PeerLinks, ALinkThatWasCutComesBack) {
  auto one = make(1);
  auto two = make(2);
  one->dial({{2, two->where()}});
  for (int round = 1; round <= 3; ++round) {
    ASSERT_TRUE(one->wait_up(2, round));
    ASSERT_TRUE(two->wait_up(1, round));
    two->on_thread([](peer_links& links) { links.cut(1, close_cause::other, "for a test"); });
    ASSERT_TRUE(one->wait_down(2, round));
  }
  EXPECT_TRUE(one->wait_up(2, 4));
  EXPECT_EQ(one->failures().lost, 3u);
  one->dial({});
  two->on_thread([](peer_links& links) { links.cut(1, close_cause::other, "once more"); });
  ASSERT_TRUE(one->wait_down(2, 4));
  EXPECT_FALSE(one->figures(2).up) << "who is not dialled any more does not come back";
}

TEST_F(PeerLinks, ANodeThatComesLaterIsFound) {
  auto one = make(1);
  auto two = std::make_unique<test_node>(options(2), members);
  auto where = two->where();
  two->stop();
  two.reset();
  one->dial({{2, where}});
  EXPECT_TRUE(one->wait_refusal("cannot connect"));
  auto opts = options(2);
  opts.listen = where;
  two = make(opts);
  EXPECT_TRUE(one->wait_up(2));
  EXPECT_GE(one->failures().dial, 1u);
}

TEST_F(PeerLinks, WhoLeavesSaysSo) {
  auto one = make(1);
  auto two = make(2);
  one->dial({{2, two->where()}});
  ASSERT_TRUE(one->wait_up(2));
  two->stop();
  ASSERT_TRUE(one->wait_down(2));
  EXPECT_EQ(one->look([](test_node& n) { return n.said_[2]; }), close_cause::leaving);
}

TEST_F(PeerLinks, ARenewedCertificateIsUsedFromTheNextConnectionOn) {
  auto one = make(1);
  auto two = make(2);
  one->dial({{2, two->where()}});
  ASSERT_TRUE(one->wait_up(2));
  auto old = members.find(1)->fingerprints.front();
  auto fresh = cluster.issue(1);
  members.set(1, {old, fresh.fingerprint});
  one->on_thread([&](peer_links& links) {
    EXPECT_TRUE(links.renew(fresh.files));
    EXPECT_FALSE(links.renew({"/no/such", "/no/such", cluster.ca_file()}));
  });
  members.set(1, {fresh.fingerprint});
  two->on_thread([](peer_links& links) { links.check_members(); }); // the old one is over
  ASSERT_TRUE(one->wait_down(2));
  EXPECT_TRUE(one->wait_up(2, 2));
}

// -- the other side by hand --

TEST_F(PeerLinks, AHandMadePeerIsGreetedAndHeard) {
  auto one = make(1);
  auto mine = greeting(2);
  raw_peer other{one->where(), &files[2]};
  ASSERT_TRUE(other.send(mine));
  auto theirs = other.receive();
  ASSERT_TRUE(theirs);
  EXPECT_EQ(std::get<hello>(*theirs), greeting(1));
  ASSERT_TRUE(one->wait_up(2));
  // Half frames, a byte at a time; and a type that nobody knows yet.
  auto bytes = framed(1, 77, "from the future") + encode(command(3));
  for (char byte : bytes)
    ASSERT_TRUE(other.send(std::string(1, byte)));
  EXPECT_TRUE(one->wait_got(2, command(3)));
  EXPECT_EQ(one->figures(2).skipped_frames, 1u);
}

struct bad_start {
  const char* name;
  std::function<void(hello&)> change;
  close_cause cause;
};

TEST_F(PeerLinks, AHelloThatDoesNotFitIsRefused) {
  auto one = make(1);
  const bad_start cases[] = {
      {"cluster", [](hello& h) { h.cluster = "another"; }, close_cause::wrong_cluster},
      {"node", [](hello& h) { h.node = 3; }, close_cause::wrong_node},
      {"versions", [](hello& h) { h.oldest = h.newest = 2; }, close_cause::no_common_version}};
  for (const auto& bad : cases) {
    auto mine = greeting(2);
    bad.change(mine);
    raw_peer other{one->where(), &files[2]};
    ASSERT_TRUE(other.send(mine));
    auto answer = other.receive();
    ASSERT_TRUE(answer) << bad.name;
    ASSERT_TRUE(std::holds_alternative<close>(*answer)) << "no hello of ours to whom we do not want";
    EXPECT_EQ(std::get<close>(*answer).cause, bad.cause) << bad.name;
  }
  EXPECT_EQ(one->look([](test_node& n) { return n.ups_[2] + n.ups_[3]; }), 0);
  EXPECT_EQ(one->failures().hello, 3u);
}

TEST_F(PeerLinks, WhatIsNoFrameEndsTheConnection) {
  auto one = make(1);
  auto mine = encode(greeting(2));
  const std::string bad[] = {std::string("\xff\xff\xff\xff", 4),     // oversize
                             std::string("\x01\x00\x00\x00\x01", 5), // shorter than its head
                             "GET / HTTP/1.1\r\n\r\n",               // something else
                             framed(1, 2, "no msgpack"),             // a heartbeat that is none
                             mine,                                   // a second hello
                             encode(part{1, 5, 10, 1, 5, "x"}),      // a piece without its beginning
                             framed(1, 5, "\x80")};                  // a request without its keys
  int up = 0;
  for (const auto& bytes : bad) {
    raw_peer other{one->where(), &files[2]};
    ASSERT_TRUE(other.send(mine));
    ASSERT_TRUE(other.receive());
    ASSERT_TRUE(one->wait_up(2, ++up));
    ASSERT_TRUE(other.send(bytes));
    EXPECT_EQ(other.closed_with(), close_cause::bad_frame);
    ASSERT_TRUE(one->wait_down(2, up));
  }
  // Before the hello nothing else is read.
  for (const auto& bytes : {encode(beat(1)), framed(1, 99, "x"), std::string("\0\0\0\0", 4)}) {
    raw_peer other{one->where(), &files[2]};
    ASSERT_TRUE(other.send(bytes));
    EXPECT_EQ(other.closed_with(), close_cause::bad_frame);
  }
  EXPECT_EQ(one->look([](test_node& n) { return n.ups_[2]; }), up);
}

TEST_F(PeerLinks, WhoIsTooSlowToStartIsClosed) {
  auto opts = options(1);
  opts.connect_ms = 300;
  auto one = make(opts);
  options(2);
  raw_peer silent{one->where(), nullptr}; // no TLS
  EXPECT_FALSE(silent.receive());
  raw_peer half{one->where(), nullptr};
  ASSERT_TRUE(half.send(std::string("\x16\x03\x01", 3)));
  EXPECT_FALSE(half.receive());
  raw_peer no_hello{one->where(), &files[2]};
  EXPECT_FALSE(no_hello.receive());
  auto before = encode(greeting(2));
  raw_peer half_hello{one->where(), &files[2]};
  ASSERT_TRUE(half_hello.send(before.substr(0, before.size() - 1)));
  EXPECT_FALSE(half_hello.receive());
  EXPECT_TRUE(one->wait([&] { return one->refusals_.size() >= 4; }));
  EXPECT_EQ(one->failures().handshake, 2u);
  EXPECT_EQ(one->failures().hello, 2u);
}

TEST_F(PeerLinks, ADialIntoSilenceEndsInTime) {
  // A server that accepts and says nothing.
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage address{};
  auto length = to_sockaddr(*net::parse_endpoint("127.0.0.1:0"), address);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(fd, 8), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  auto opts = options(1);
  opts.connect_ms = 200;
  auto one = make(opts);
  options(2);
  one->dial({{2, net::from_sockaddr(address)}});
  EXPECT_TRUE(one->wait_refusal("deadline"));
  ::close(fd);
}

TEST_F(PeerLinks, AConnectionOfALaterBootTakesThePlaceOfAnEarlierOne) {
  auto one = make(1);
  options(2);
  raw_peer first{one->where(), &files[2]};
  ASSERT_TRUE(first.send(greeting(2, 5)));
  ASSERT_TRUE(first.receive());
  ASSERT_TRUE(one->wait_up(2));
  raw_peer restarted{one->where(), &files[2]};
  ASSERT_TRUE(restarted.send(greeting(2, 6)));
  ASSERT_TRUE(restarted.receive());
  ASSERT_TRUE(one->wait([&] { return one->ups_[2] == 2 && one->boots_[2] == 6; }));
  EXPECT_EQ(first.closed_with(), close_cause::superseded);
  raw_peer old{one->where(), &files[2]};
  ASSERT_TRUE(old.send(greeting(2, 5)));
  EXPECT_EQ(old.closed_with(), close_cause::superseded);
  ASSERT_TRUE(restarted.send(command(1)));
  EXPECT_TRUE(one->wait_got(2, command(1)));
  EXPECT_TRUE(one->look([](test_node& n) { return n.downs_[2] == 0; })) << "up, up again, never down";
}

TEST_F(PeerLinks, APeerThatStopsReadingFillsItsBoundAndNoMore) {
  auto opts = options(1);
  opts.lanes.control_bytes = 20'000;
  opts.user_timeout_ms = 60'000;
  opts.write_stuck_ms = 60'000;
  auto one = make(opts);
  options(2);
  raw_peer other{one->where(), &files[2], 16 * 1024};
  ASSERT_TRUE(other.send(greeting(2)));
  ASSERT_TRUE(other.receive());
  ASSERT_TRUE(one->wait_up(2));
  std::uint64_t taken = 0;
  while (one->send(&peer_links::send_bulk, 2, bulk(taken, 1'000'000)) == put::taken)
    ASSERT_LT(++taken, 40u);
  EXPECT_GE(taken, 32u);
  std::uint64_t commands = 0;
  while (one->send(&peer_links::send_control, 2, forwarded_command{commands, 300, std::string(900, 'c')})
         == put::taken)
    ASSERT_LT(++commands, 30u);
  for (std::uint64_t i = 1; i <= 500; ++i)
    EXPECT_EQ(one->send(&peer_links::send_heartbeat, 2, beat(i)), put::taken);
  auto figures = one->figures(2);
  EXPECT_LE(figures.sent[2].queued_bytes, lane_limits{}.bulk_bytes);
  EXPECT_LE(figures.sent[1].queued_bytes, 20'000u);
  EXPECT_EQ(figures.sent[0].queued_messages, 1u);
  EXPECT_GE(figures.sent[0].replaced, 498u);
  EXPECT_EQ(figures.sent[1].refused, 1u);
  EXPECT_EQ(figures.sent[2].refused, 1u);
  EXPECT_EQ(one->look([](test_node& n) { return n.rooms_[2]; }), 0);

  // Now it reads. The heartbeat, put last, comes before megabytes of bulk that were put first.
  auto before = other.read_bytes();
  std::uint64_t bytes_in_front = 0;
  std::uint64_t commands_seen = 0;
  std::uint64_t whole = 0;
  part_reader parts;
  while (whole < taken) {
    auto what = other.receive();
    ASSERT_TRUE(what);
    if (auto* sign = std::get_if<heartbeat>(&*what); sign != nullptr && sign->sequence == 500)
      bytes_in_front = other.read_bytes() - before;
    if (std::holds_alternative<forwarded_command>(*what)) ++commands_seen;
    if (auto* piece = std::get_if<part>(&*what)) {
      auto put_in = parts.take(std::move(*piece));
      ASSERT_TRUE(put_in);
      if (*put_in) ++whole;
    }
  }
  EXPECT_GT(bytes_in_front, 0u);
  EXPECT_LT(bytes_in_front, 400u * 1024) << "what the two kernels held, and one piece";
  EXPECT_EQ(commands_seen, commands);
  EXPECT_TRUE(one->wait([&] { return one->rooms_[2] == 1; }));
}

TEST_F(PeerLinks, APeerThatTakesNothingIsLetGo) {
  auto opts = options(1);
  opts.write_stuck_ms = 300;
  auto one = make(opts);
  options(2);
  raw_peer other{one->where(), &files[2], 16 * 1024};
  ASSERT_TRUE(other.send(greeting(2)));
  ASSERT_TRUE(other.receive());
  ASSERT_TRUE(one->wait_up(2));
  EXPECT_EQ(one->send(&peer_links::send_bulk, 2, bulk(1, 8'000'000)), put::taken);
  EXPECT_TRUE(one->wait_down(2));
  EXPECT_EQ(one->figures(2).sent[2].lost, 1u);
}

TEST_F(PeerLinks, AFilesErrorIsToldAtTheStart) {
  auto thread = std::move(*net::io_thread::create("peer"));
  auto opts = options(1);
  opts.tls.key_file = "/no/such";
  auto opened = peer_links::open(*thread, opts, [](std::uint32_t) { return std::nullopt; }, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::certificate_invalid);
}

// -- the rules --

TEST(PairRule, KeepsOneOfTwo) {
  using enum pair_verdict;
  // Nodes 1 and 2; the accepting one decides.
  EXPECT_EQ(which_to_keep({1, 5}, {2, 5}, 0, 1), older_duplicate) << "both dialled: the lower id's is kept";
  EXPECT_EQ(which_to_keep({1, 5}, {2, 5}, 999, 1), older_duplicate);
  EXPECT_EQ(which_to_keep({1, 5}, {2, 5}, 1'000, 1), newer) << "but a dead one is not";
  EXPECT_EQ(which_to_keep({2, 5}, {1, 5}, 0, 1), newer);
  EXPECT_EQ(which_to_keep({1, 5}, {1, 5}, 0, 1), newer) << "it dials again: it knows of no other";
  EXPECT_EQ(which_to_keep({2, 5}, {2, 5}, 0, 1), newer);
  EXPECT_EQ(which_to_keep({1, 5}, {2, 6}, 0, 1), newer) << "a later boot always";
  EXPECT_EQ(which_to_keep({2, 5}, {1, 4}, 9'999, 1), older_boot);
}

TEST(Redial, PausesGrowAndAreForgottenAfterAGoodConnection) {
  redial pauses{{}, 7};
  std::int64_t whole_ms = 100;
  for (int i = 0; i < 20; ++i) {
    auto pause_ms = pauses.next_pause_ms();
    EXPECT_GE(pause_ms, whole_ms / 2) << i;
    EXPECT_LE(pause_ms, whole_ms) << i;
    whole_ms = std::min<std::int64_t>(whole_ms * 2, 5'000);
  }
  EXPECT_GE(pauses.next_pause_ms(4'999), 2'500) << "a connection that ends soon is a failure too";
  EXPECT_LE(pauses.next_pause_ms(5'000), 100);
  redial same{{}, 7};
  redial other{{}, 8};
  redial again{{}, 7};
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    auto pause_ms = same.next_pause_ms();
    EXPECT_EQ(again.next_pause_ms(), pause_ms) << "the seed decides";
    differs = differs || other.next_pause_ms() != pause_ms;
  }
  EXPECT_TRUE(differs);
}

} // namespace
} // namespace picket::peer
