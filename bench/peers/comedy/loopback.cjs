// comedy listens on every interface of the machine and can't be told not to: here each TCP server is on loopback.

const { Server } = require('node:net')

const HOST = '127.0.0.1'
const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  const [port, host, ...rest] = args
  if (typeof port === 'number')
    return listen.call(this, port, HOST, ...(typeof host === 'string' ? rest : args.slice(1)))
  if (port === undefined || typeof port === 'function') return listen.call(this, 0, HOST, ...args)
  return listen.apply(this, args)
}
