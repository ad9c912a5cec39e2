// The page on which the public reports: it fills a form of Open311 and asks by the token, which stays in the fragment of
// the address and so never reaches a log.

const zh = document.documentElement.lang.startsWith('zh')
const lang = zh ? 'zh' : 'en'
const byId = (id) => document.getElementById(id)
const say = (chinese, english) => (zh ? chinese : english)
const form = byId('report')
const field = (name) => form.elements.namedItem(name)
const API = '/open311/v2'

function cookie(name) {
  const found = document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : ''
}

async function told(answer) {
  const content = await answer.json()
  if (answer.ok) return content[0]
  throw new Error(Array.isArray(content) ? content.map((each) => each.description).join('\n') : content.detail)
}

function refuse(text, at) {
  byId('refused').textContent = text
  byId('refused').hidden = false
  at?.focus()
}

// Where

byId('here').addEventListener('click', () => {
  const found = byId('found')
  if (!navigator.geolocation) {
    found.textContent = say('此浏览器不能定位，请填写坐标。', 'This browser knows no place; fill in the coordinates.')
    return
  }
  found.textContent = say('正在定位……', 'Looking …')
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      field('lat').value = coords.latitude.toFixed(5)
      field('long').value = coords.longitude.toFixed(5)
      found.textContent = say(`精度约 ${Math.round(coords.accuracy)} 米`, `Right to about ${Math.round(coords.accuracy)} m`)
    },
    () => {
      found.textContent = say('没有得到位置，请填写坐标。', 'No place was given; fill in the coordinates.')
    },
    { enableHighAccuracy: true, timeout: 15_000 },
  )
})

// When

const seenAt = field('seen_at')

function localNow(daysAgo = 0) {
  const at = new Date(Date.now() - daysAgo * 86_400_000)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

seenAt.addEventListener('focus', () => {
  seenAt.min = localNow(Number(seenAt.dataset.days))
  seenAt.max = localNow()
  field('when').value = 'then'
})

// Sending

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  byId('refused').hidden = true
  if (!field('service_code').value) {
    refuse(say('请选择是什么。', 'Choose what it is.'), form.querySelector('[name=service_code]'))
    return
  }
  const empty = ['lat', 'long'].find((name) => !/^[+-]?\d+(\.\d+)?$/.test(field(name).value.trim()))
  if (empty) {
    refuse(say('请给出位置。', 'Say where it is.'), field(empty))
    return
  }
  const body = new URLSearchParams({ service_code: field('service_code').value })
  for (const name of ['lat', 'long']) body.set(name, field(name).value.trim())
  if (field('when').value === 'then') {
    const at = new Date(seenAt.value)
    if (Number.isNaN(at.getTime())) {
      refuse(say('请填写看到的时间。', 'Say when you saw it.'), seenAt)
      return
    }
    body.set('attribute[seen_at]', at.toISOString())
  }
  const button = form.querySelector('[type=submit]')
  button.disabled = true
  try {
    const headers = { 'X-CSRF-Token': cookie('__Host-wangge-csrf') }
    const done = await told(await fetch(`${API}/requests.json?lang=${lang}`, { method: 'POST', headers, body }))
    byId('token').textContent = done.token
    byId('notice').textContent = done.service_notice
    byId('copy').dataset.link = `${location.origin}/report?lang=${lang}#${done.token}`
    form.hidden = true
    byId('done').hidden = false
    byId('done').focus()
  } catch (error) {
    refuse(error.message)
  } finally {
    button.disabled = false
  }
})

byId('copy').addEventListener('click', async ({ currentTarget }) => {
  try {
    await navigator.clipboard.writeText(currentTarget.dataset.link)
    currentTarget.textContent = say('已复制', 'Copied')
  } catch {
    location.hash = byId('token').textContent
  }
})

byId('another').addEventListener('click', () => {
  form.reset()
  form.hidden = false
  byId('done').hidden = true
  byId('copy').textContent = say('复制查询链接', 'Copy the link to its state')
  form.querySelector('input').focus()
})

// Asking

function row(list, title, text) {
  const dt = document.createElement('dt')
  const dd = document.createElement('dd')
  dt.textContent = title
  dd.textContent = text
  list.append(dt, dd)
}

async function ask(token) {
  const list = document.createElement('dl')
  byId('standing').replaceChildren()
  if (!token) return
  try {
    const path = `${API}/tokens/${encodeURIComponent(token)}.json`
    const { service_request_id: name } = await told(await fetch(path))
    const one = await told(await fetch(`${API}/requests/${name}.json?lang=${lang}`))
    const clock = new Intl.DateTimeFormat(zh ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short' })
    row(list, say('类别', 'Kind'), one.service_name)
    row(list, say('进度', 'State'), one.status_notes)
    row(list, say('上报时间', 'Reported'), clock.format(new Date(one.requested_datetime)))
    if (one.status === 'closed') row(list, say('处理时间', 'Decided'), clock.format(new Date(one.updated_datetime)))
  } catch {
    row(list, say('没有结果', 'Nothing'), say('没有这个查询码，或上报已删除。', 'There is no such token, or its report was deleted.'))
  }
  byId('standing').replaceChildren(list)
}

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  ask(byId('asked').value.trim().toLowerCase())
})

function fromAddress() {
  const token = location.hash.slice(1)
  if (/^[a-z2-7]{20,40}$/.test(token)) {
    byId('asked').value = token
    ask(token)
  }
}
addEventListener('hashchange', fromAddress)
fromAddress()
