%% One echo per gen_server, called from another node. The client reads lines "calls InFlight Bytes Ms Servers" or
%% "restart File" from its standard input and answers each with one line of JSON.
-module(echo).
-behaviour(gen_server).
-export([server/0, standby/0, client/0, init/1, handle_call/3, handle_cast/2, start/1, start_kept/1]).

-define(WARM_UP, 0.2).

%% A gen_server that echoes, or one that counts and keeps its count in a file.
init({kept, File}) ->
    Count = case file:read_file(File) of {ok, Bin} -> binary_to_integer(Bin); _ -> 0 end,
    {ok, {File, Count}};
init(echo) -> {ok, echo}.

handle_call({echo, Data}, _From, State) -> {reply, Data, State};
handle_call(count, _From, {File, Count}) ->
    ok = file:write_file(File, integer_to_binary(Count + 1)),
    {reply, Count + 1, {File, Count + 1}}.

handle_cast(_, State) -> {noreply, State}.

%% Without a link to the caller, which is a process of a remote call that ends at once.
start(N) -> gen_server:start({local, name(N)}, ?MODULE, echo, []).
start_kept(File) -> gen_server:start({local, kept}, ?MODULE, {kept, File}, []).

name(N) -> list_to_atom("echo_" ++ integer_to_list(N)).

server() ->
    [start(N) || N <- lists:seq(1, 1000)],
    start_kept(os:getenv("KEPT_FILE")),
    io:format("{\"ready\":true}~n").

standby() -> io:format("{\"ready\":true}~n").

client() ->
    Server = list_to_atom(os:getenv("SERVER_NODE")),
    Standby = list_to_atom(os:getenv("STANDBY_NODE")),
    pong = connect(Server, 100),
    pong = connect(Standby, 100),
    io:format("{\"ready\":true,\"otp\":\"~s\"}~n", [erlang:system_info(otp_release)]),
    loop(Server, Standby).

connect(Node, 0) -> net_adm:ping(Node);
connect(Node, Tries) ->
    case net_adm:ping(Node) of
        pong -> pong;
        pang -> timer:sleep(100), connect(Node, Tries - 1)
    end.

loop(Server, Standby) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            case string:lexemes(string:trim(Line), " ") of
                ["calls" | Numbers] ->
                    [InFlight, Bytes, Ms, Servers] = [list_to_integer(N) || N <- Numbers],
                    calls(Server, InFlight, Bytes, Ms, Servers);
                ["restart", File, Pid] -> restart(Server, Standby, File, Pid)
            end,
            loop(Server, Standby)
    end.

calls(Server, InFlight, Bytes, Ms, Servers) ->
    Self = self(),
    Data = binary:copy(<<7>>, Bytes),
    Start = erlang:monotonic_time(nanosecond),
    From = Start + round(Ms * ?WARM_UP * 1000000),
    Until = Start + Ms * 1000000,
    [spawn_link(fun() ->
        Target = {name(1 + (N rem Servers)), Server},
        Self ! {times, lane(Target, Data, From, Until, [])}
     end) || N <- lists:seq(1, InFlight)],
    Times = lists:append([receive {times, T} -> T end || _ <- lists:seq(1, InFlight)]),
    Elapsed = (erlang:monotonic_time(nanosecond) - From) / 1.0e6,
    Sorted = lists:sort(Times),
    Count = length(Sorted),
    At = fun(Share) -> lists:nth(max(1, ceil(Share * Count)), Sorted) / 1.0e6 end,
    io:format("{\"p50Ms\":~.6f,\"p99Ms\":~.6f,\"maxMs\":~.6f,\"perSecond\":~.3f,\"count\":~b}~n",
              [At(0.5), At(0.99), At(1), Count / Elapsed * 1000, Count]).

lane(Target, Data, From, Until, Times) ->
    At = erlang:monotonic_time(nanosecond),
    if
        At >= Until -> Times;
        true ->
            Data = gen_server:call(Target, {echo, Data}, infinity),
            Ended = erlang:monotonic_time(nanosecond),
            More = if Ended >= From -> [Ended - At | Times]; true -> Times end,
            lane(Target, Data, From, Until, More)
    end.

%% The server's node is killed; its counter is started from the file on the standby, and called.
restart(Server, Standby, File, Pid) ->
    Before = gen_server:call({kept, Server}, count),
    monitor_node(Server, true),
    Start = erlang:monotonic_time(nanosecond),
    os:cmd("kill -9 " ++ Pid),
    receive {nodedown, Server} -> ok end,
    {ok, _} = rpc:call(Standby, ?MODULE, start_kept, [File]),
    After = gen_server:call({kept, Standby}, count),
    true = After =:= Before + 1,
    Took = (erlang:monotonic_time(nanosecond) - Start) / 1.0e6,
    io:format("{\"p50Ms\":~.6f,\"p99Ms\":~.6f,\"maxMs\":~.6f,\"perSecond\":0,\"count\":1}~n", [Took, Took, Took]).
