// Edits one feature through OGC API Features 4: what was changed is sent as a merge patch under the state that was read.

const form = document.querySelector('form.edit')
const zh = document.documentElement.lang.startsWith('zh')
const alarm = form.querySelector('[role=alert]')
const inputs = [...form.querySelectorAll('[data-kind]')]
const before = new Map(inputs.map((input) => [input, input.value]))

function cookie(name) {
  const found = document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : ''
}

function valueOf(input) {
  const text = input.value.trim()
  if (text === '') return null
  if (input.dataset.kind === 'boolean') return text === 'true'
  return ['integer', 'real'].includes(input.dataset.kind) ? Number(text) : text
}

function title(field) {
  if (field === 'geometry') return zh ? '位置' : 'Place'
  return form.querySelector(`label[for="edit-${field}"]`)?.textContent.replace('*', '').trim() ?? field
}

function refuse(problem) {
  const said = (problem.problems ?? []).map((each) => {
    const words = (zh && each.zh) || each.message
    return each.field ? `${title(each.field)}: ${words}` : words
  })
  alarm.textContent = [problem.message?.[zh ? 'zh' : 'en'] ?? problem.detail, ...said].join('\n')
  alarm.style.whiteSpace = 'pre-line'
  alarm.hidden = false
  const first = problem.problems?.find((each) => each.field)?.field
  document.getElementById(`edit-${first === 'geometry' ? 'lat' : first}`)?.focus()
}

async function send(method, body, type) {
  const headers = { 'X-CSRF-Token': cookie('__Host-wangge-csrf'), ...(type ? { 'Content-Type': type } : {}) }
  if (form.dataset.tag) headers['If-Match'] = form.dataset.tag
  else headers['Idempotency-Key'] = crypto.randomUUID()
  const answer = await fetch(form.dataset.href, { method, headers, body: body && JSON.stringify(body) })
  if (!answer.ok) throw await answer.json()
  return answer
}

function draft() {
  const isNew = !form.dataset.tag
  const changed = (input) => isNew || input.value !== before.get(input)
  const properties = {}
  for (const input of inputs) {
    if (input.dataset.kind !== 'place' && changed(input) && (!isNew || valueOf(input) !== null)) properties[input.name] = valueOf(input)
  }
  const place = inputs.filter((input) => input.dataset.kind === 'place')
  const [lat, lon] = place.map((input) => Number(input.value.trim() || NaN))
  const isGiven = place.some((input) => input.value.trim())
  const geometry = isGiven && place.some(changed) ? { type: 'Point', coordinates: [lon, lat] } : undefined
  return { properties, geometry }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = event.submitter
  alarm.hidden = true
  if (button?.name === 'remove' && !button.dataset.sure) {
    button.dataset.sure = 'yes'
    button.textContent = button.dataset.ask
    return
  }
  const page = `f=html&lang=${zh ? 'zh' : 'en'}`
  button.disabled = true
  try {
    if (button.name === 'remove') {
      await send('DELETE')
      location.href = `${form.dataset.href.replace(/\/[^/]+$/, '')}?${page}`
      return
    }
    const { properties, geometry } = draft()
    if (form.dataset.tag) {
      await send('PATCH', { properties, ...(geometry && { geometry }) }, 'application/merge-patch+json')
      location.reload()
    } else {
      const made = await send('POST', { type: 'Feature', geometry: geometry ?? null, properties }, 'application/geo+json')
      location.href = `${made.headers.get('Location')}?${page}`
    }
  } catch (problem) {
    refuse(problem)
    button.disabled = false
  }
})
